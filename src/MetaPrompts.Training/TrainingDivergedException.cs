using MetaPrompts.Core.Errors;

namespace MetaPrompts.Training;

/// <summary>The loss or its gradient is not a number any more.</summary>
public sealed class TrainingDivergedException(int step, int seed)
    : MetaPromptsException($"training: loss is not finite at step {step + 1} (seed {seed}); lower learningRate and resume from the last state, which is kept")
{
    public override int ExitCode => 1;
}
