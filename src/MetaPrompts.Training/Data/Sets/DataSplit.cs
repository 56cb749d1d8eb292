namespace MetaPrompts.Training.Data.Sets;

/// <summary>Which pictures of a data set.</summary>
public enum DataSplit
{
    /// <summary>What the field scores on: validation or test, as the data set is used.</summary>
    Validation,

    Training,
}
