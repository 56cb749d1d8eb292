namespace MetaPrompts.Model.Inference;

/// <summary>A model of one network.</summary>
internal interface IServed
{
    ServedNetwork Served { get; }
}
