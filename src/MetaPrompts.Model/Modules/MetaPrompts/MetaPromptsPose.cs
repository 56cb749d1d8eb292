using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.Heads;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>Top-down pose: the depth encoder as backbone, one heatmap per joint. The authors never released theirs; this is the choice nearest to their other code (docs/decisions).</summary>
public sealed class MetaPromptsPose : Module
{
    private readonly MetaPromptDepthEncoder backbone;
    private readonly HeatmapHead keypoint_head;

    /// <param name="manifest">Shape, prompts, refine steps, keypoints.</param>
    /// <exception cref="Core.Errors.ModelRefusedException">The manifest is not one of a pose model.</exception>
    public MetaPromptsPose(ModelManifest manifest) : base(nameof(MetaPromptsPose))
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Keypoints.Count == 0) throw new Core.Errors.ModelRefusedException(manifest.Name, "a pose model needs keypoints");
        var prompts = manifest.PromptsOf(PerceptionTask.Pose);
        backbone = new MetaPromptDepthEncoder(manifest.Network, prompts, manifest.RefineSteps);
        keypoint_head = new HeatmapHead(prompts, [manifest.Network.Filters], manifest.Keypoints.Count);
        RegisterComponents();
    }

    /// <inheritdoc cref="MetaPromptDepthEncoder.PrepareStep"/>
    public StepFeatures PrepareStep(int step) => backbone.PrepareStep(step);

    /// <param name="image">[B, 3, H, W] RGB in [-1, 1], one person in each; borrowed.</param>
    /// <param name="steps">One per refine step to run, in order; borrowed.</param>
    /// <returns>[B, joints, H/4, W/4], the caller's; larger where H or W is no multiple of 64.</returns>
    public Tensor forward(Tensor image, IReadOnlyList<StepFeatures> steps, Tap? tap = null)
    {
        using var scope = NewDisposeScope();
        var heatmaps = keypoint_head.forward(backbone.forward(image, steps, tap));
        tap?.Invoke("heatmaps", heatmaps);
        return heatmaps.MoveToOuterDisposeScope();
    }
}
