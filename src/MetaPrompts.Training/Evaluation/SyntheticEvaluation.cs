using System.Globalization;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Evaluation;

/// <summary>The fixed set of rendered scenes that no training sees.</summary>
public static class SyntheticEvaluation
{
    /// <summary>People whose joints span fewer pixels count neither for nor against: nor does training ask about them.</summary>
    public const float SmallestPerson = 12;

    public static ImageSize DefaultSize { get; } = new(128, 192);

    /// <summary>Scores a model on the first <paramref name="count"/> validation scenes.</summary>
    /// <param name="model">Borrowed; called from this thread.</param>
    /// <param name="refineSteps">The steps the model was opened with, for the report; null: its default.</param>
    /// <param name="progress">Told the number of pictures done.</param>
    public static EvaluationReport Run(IPerceptionModel model, int count, ImageSize? size = null, int? refineSteps = null, Action<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var pixels = size ?? DefaultSize;
        var steps = refineSteps ?? model.Manifest.DefaultRefineSteps ?? model.Manifest.RefineSteps;
        var protocol = new EvaluationProtocol("synthetic", string.Create(CultureInfo.InvariantCulture,
            $"rendered validation scenes 0…{count - 1} at {pixels}, refine steps {steps}, depth below 80 m with known focal length, visible people of at least {SmallestPerson} pixels"),
            DepthProtocol.Synthetic, SceneClasses.All);
        return new Evaluator(model, protocol).Run(Samples(count, pixels), progress);
    }

    /// <summary>Rendered as they are asked for, on all cores.</summary>
    public static IEnumerable<EvaluationSample> Samples(int count, ImageSize size) =>
        OrderedRendering.Run(count, index => EvaluationSample.Of(SyntheticScenes.Validation(index, size), SmallestPerson));
}
