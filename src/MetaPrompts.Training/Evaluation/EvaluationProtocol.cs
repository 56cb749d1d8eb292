using MetaPrompts.Core.Perception;

namespace MetaPrompts.Training.Evaluation;

/// <summary>What is compared, and how.</summary>
/// <param name="Dataset">Its kind, as in <c>eval --dataset</c>.</param>
/// <param name="Description">For the report: split, crops, who counts.</param>
/// <param name="Depth">Aligned scores are measured beside the metric ones.</param>
/// <param name="Classes">Of the labels; none where classes are not labelled.</param>
/// <param name="BatchSize">Most pictures a prediction.</param>
public sealed record EvaluationProtocol(string Dataset, string Description, DepthProtocol Depth, IReadOnlyList<ClassInfo> Classes, int BatchSize = 4);
