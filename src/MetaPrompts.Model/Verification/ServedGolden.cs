using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Verification;

/// <summary>The three published networks under one hat. Owns the network.</summary>
/// <param name="Prepare">A refine step's features, the caller's.</param>
/// <param name="Forward">Picture, steps, tap → depth, logits or heatmaps, the caller's.</param>
internal sealed record ServedGolden(Module Module, Func<int, StepFeatures> Prepare, Func<Tensor, IReadOnlyList<StepFeatures>, Tap?, Tensor> Forward) : IDisposable
{
    /// <param name="unfilled">Without memory until it is filled (<see cref="UnfilledNetwork"/>).</param>
    public static ServedGolden Of(string task, ModelManifest manifest, bool unfilled = false)
    {
        T Built<T>(Func<T> build) where T : Module => unfilled ? UnfilledNetwork.Build(build) : build();
        switch (task)
        {
            case "depth":
                var depth = Built(() => new MetaPromptDepth(manifest));
                return new(depth, depth.PrepareStep, depth.forward);
            case "pose":
                var pose = Built(() => new MetaPromptsPose(manifest));
                return new(pose, pose.PrepareStep, pose.forward);
            case "segmentation":
                var seg = Built(() => new MetaPromptsSeg(manifest));
                return new(seg, seg.PrepareStep, (image, steps, tap) =>
                {
                    if (tap is null) return seg.forward(image, steps);
                    // The auxiliary head's logits are a rung, too.
                    var (logits, auxiliary) = seg.ForwardTraining(image, steps, tap);
                    auxiliary.Dispose();
                    return logits;
                });
            default:
                throw new ConfigurationException("task", $"{task} is unknown; use depth, segmentation or pose");
        }
    }

    public void Dispose() => Module.Dispose();
}
