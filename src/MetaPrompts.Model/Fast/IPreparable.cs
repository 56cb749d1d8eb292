namespace MetaPrompts.Model.Fast;

/// <summary>A module that can put its weights into a shape that serves faster. After that it neither trains nor takes other weights.</summary>
internal interface IPreparable
{
    /// <summary>May be called again: the second time does nothing.</summary>
    /// <param name="plan">Kept.</param>
    void Prepare(FastPlan plan);
}
