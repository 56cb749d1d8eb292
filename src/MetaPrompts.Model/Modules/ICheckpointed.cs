namespace MetaPrompts.Model.Modules;

/// <summary>A module whose parts can be computed again during the backward pass. Such a part draws no random numbers and keeps no statistics: it would do either twice.</summary>
public interface ICheckpointed
{
    /// <summary>Null: activations are kept, as always outside training. Borrowed.</summary>
    GradientCheckpoints? Checkpoints { get; set; }
}
