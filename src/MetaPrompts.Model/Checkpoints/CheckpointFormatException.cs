using MetaPrompts.Core.Errors;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>A weight file is not what it says it is.</summary>
public sealed class CheckpointFormatException(string file, string problem, Exception? inner = null)
    : ModelRefusedException(Path.GetFileName(file), problem, inner);
