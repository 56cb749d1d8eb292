namespace MetaPrompts.Cli.Benchmarking;

/// <summary>What a benchmark measures, and how often.</summary>
/// <param name="Frames">Of one round.</param>
/// <param name="Rounds">Of each kind, in turn.</param>
/// <param name="Batch">Frames of one call where the model is measured alone.</param>
/// <param name="Plain">The plain path as well.</param>
/// <param name="PlainPrecision">Of the plain path; null: the model's.</param>
/// <param name="Each">Every optimisation left out by itself, too.</param>
/// <param name="ModelOnly">No pipeline.</param>
/// <param name="Streams">Through one pipeline at once; null: not measured.</param>
/// <param name="Rate">Frames a second of each of them; null: files.</param>
/// <param name="TargetAge">Of their results, held by fewer refine steps; null: all steps, always.</param>
internal sealed record BenchOptions(int Frames, int Rounds, int Batch, bool Plain, string? PlainPrecision, bool Each, bool ModelOnly, int? Streams, double? Rate, TimeSpan? TargetAge);
