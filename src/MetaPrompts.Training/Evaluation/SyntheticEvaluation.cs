using System.Globalization;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Evaluation;

/// <summary>The first <paramref name="count"/> of the fixed rendered scenes that no training sees.</summary>
/// <param name="models">For most people and things, in scenes of the same kinds; null: all are made of solids.</param>
public sealed class SyntheticEvaluation(int count, ImageSize size, SceneModels? models = null) : IEvaluationSet
{
    /// <summary>People whose joints span fewer pixels count neither for nor against: nor does training ask about them.</summary>
    public const float SmallestPerson = 12;

    /// <summary>What <c>mini</c> works at.</summary>
    public static ImageSize DefaultSize { get; } = new(192, 256);

    public EvaluationProtocol Protocol { get; } = new("synthetic", string.Create(CultureInfo.InvariantCulture,
        $"rendered validation scenes 0…{count - 1} at {size}{(models is null ? "" : ", " + models.Description)}, depth below 80 m with known focal length, visible people of at least {SmallestPerson} pixels"),
        DepthProtocol.Synthetic, SceneClasses.All);

    public int Count => count;

    public EvaluationSample Read(int index) => EvaluationSample.Of(SyntheticScenes.Validation(index, size, models), SmallestPerson) with { Name = string.Create(CultureInfo.InvariantCulture, $"scene {index}") };

    /// <summary>Scores a model on the first <paramref name="count"/> validation scenes.</summary>
    /// <param name="model">Borrowed.</param>
    /// <param name="progress">Told the number of pictures done.</param>
    public static EvaluationReport Run(IPerceptionModel model, int count, ImageSize? size = null, Action<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return Evaluator.Run(model, new SyntheticEvaluation(count, size ?? DefaultSize), progress: progress);
    }
}
