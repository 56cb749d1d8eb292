using MetaPrompts.Core.Errors;

namespace MetaPrompts.Training;

/// <summary>The loss or its gradient is not a number any more.</summary>
/// <param name="pictures">Of the batch; those without a name are left out.</param>
public sealed class TrainingDivergedException(int step, int seed, IEnumerable<string> pictures)
    : MetaPromptsException($"training: loss is not finite at step {step + 1} (seed {seed}{Named(pictures)}); {Advice(step)}")
{
    public override int ExitCode => 1;

    // A published network at full width, its weights as drawn, says so at once.
    private static string Advice(int step) => step == 0 ? "begin with trained weights (--from), or lower learningRate" : "lower learningRate and resume from the last state, which is kept";

    private static string Named(IEnumerable<string> pictures)
    {
        var names = string.Join(", ", pictures.Where(name => name.Length > 0));
        return names.Length == 0 ? "" : $"; pictures: {names}";
    }
}
