using MetaPrompts.Core.Perception;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Optimisation;

/// <summary>Learning rates and decay as the published trainings set them, parameter by parameter. Frozen ones are left out: they get no gradient and must not decay.</summary>
public static class PublishedGroups
{
    /// <param name="network">MetaPromptDepth, MetaPromptsSeg or MetaPromptsPose.</param>
    public static IEnumerable<TrainedParameter> Of(PerceptionTask task, Module network)
    {
        ArgumentNullException.ThrowIfNull(network);
        foreach (var (name, parameter) in network.named_parameters().Where(one => one.parameter.requires_grad))
        {
            yield return task == PerceptionTask.Segmentation
                ? new TrainedParameter(name, parameter, Segmentation(name).Rate, Segmentation(name).Decays ? 1e-3 : 0)
                : new TrainedParameter(name, parameter, name.Contains("unet", StringComparison.Ordinal) ? 0.01 : 1, parameter.dim() == 1 || name.EndsWith(".bias", StringComparison.Ordinal) ? 0 : 0.1);
        }
    }

    /// <summary>
    /// The first word found decides (mmcv's paramwise_cfg.custom_keys, in the published order): so the UNet's norms that are called <c>norm</c> learn at the full rate without decay, and those that
    /// are numbered (<c>in_layers.0</c>) at a tenth with decay.
    /// </summary>
    private static (double Rate, bool Decays) Segmentation(string name) =>
        name.Contains("norm", StringComparison.Ordinal) ? (1, false) :
        name.Contains("unet", StringComparison.Ordinal) ? (0.1, true) :
        (1, true);
}
