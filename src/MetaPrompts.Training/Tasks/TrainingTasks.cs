using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tasks;

/// <summary>The task a manifest's network is trained for.</summary>
public static class TrainingTasks
{
    /// <exception cref="ConfigurationException">There is no training for this kind of network.</exception>
    public static ITrainingTask Of(ModelManifest manifest, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        ITrainingTask task = manifest.Network.Kind switch
        {
            "multi" when options.Stage == TrainingStage.Autoencoder => new AutoencoderTask(manifest, options),
            "multi" when options.Stage == TrainingStage.Denoising => new DenoisingTask(manifest, options),
            "multi" => new MultiTask(manifest, options),
            _ when options.Stage != TrainingStage.Perception => throw new ConfigurationException("training.stage", $"is for networks of several tasks; a {manifest.Network.Kind} network begins with Stable Diffusion (--from)"),
            "depth" => new DepthTask(manifest),
            "segmentation" => new SegmentationTask(manifest, options),
            "pose" => new PoseTask(manifest),
            var kind => throw new ConfigurationException("network.kind", $"'{kind}' is not known; use multi, depth, segmentation or pose"),
        };
        var device = Device(options);
        if (options.Bfloat16) Precisions.Apply(task.Network, ScalarType.BFloat16, device);
        task.Network.to(device);
        return task;
    }

    public static Device Device(TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ExecutionOptions { Device = options.Device }.ResolveDevice();
    }

    /// <summary>The batch's picture in the type the network computes in.</summary>
    internal static Tensor ImageFor(this ITrainingTask task, Batch batch) =>
        task.Network.parameters().Any(parameter => parameter.dtype == ScalarType.BFloat16) ? batch.Image.to(ScalarType.BFloat16) : batch.Image;

    internal static Tensor Wanted(Tensor? target, string what) => target ?? throw new ConfigurationException("data", $"has no {what}; name a data set that is labelled with it");
}
