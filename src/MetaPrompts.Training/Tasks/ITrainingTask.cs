using MetaPrompts.Core.Perception;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>A network and what it is asked for. Owns the network.</summary>
public interface ITrainingTask : IDisposable
{
    ModelManifest Manifest { get; }

    Module Network { get; }

    /// <summary>Modules of <see cref="Network"/> under this name help to train and are no part of the model; null: there are none.</summary>
    string? Scaffold => null;

    /// <summary>What learns, and how fast; what is frozen is left out.</summary>
    IEnumerable<TrainedParameter> Parameters(TrainerOptions options);

    /// <summary>The loss of one batch and, by name, what it is made of.</summary>
    /// <param name="batch">Borrowed.</param>
    /// <param name="refineSteps">Steps to run.</param>
    /// <returns>Scalars, the caller's.</returns>
    (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps);
}
