namespace MetaPrompts.Model.Checkpoints.Pickle;

/// <summary>A pickle does what no tensor file needs. Readers turn it into a <see cref="CheckpointFormatException"/> with the file's name.</summary>
internal sealed class PickleException(string problem) : Exception(problem);
