using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.Ldm;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>The refinement loop that all published networks share (paper: recurrent refinement).</summary>
internal static class RefineSteps
{
    /// <summary>Each step reads what the last one saw: its finest features, brought back to a latent by the UNet's own output head.</summary>
    /// <param name="z">[B, Z, h, w] from the autoencoder, borrowed.</param>
    /// <param name="steps">To run, in order; borrowed.</param>
    /// <returns>Features of the last step, finest first; the caller's.</returns>
    public static IReadOnlyList<Tensor> Run(UNetModel unet, Tensor z, IReadOnlyList<StepFeatures> steps, Tap? tap)
    {
        if (steps.Count == 0) throw new ArgumentException("at least one refine step is needed", nameof(steps));
        using var scope = NewDisposeScope();
        IReadOnlyList<Tensor> feats = [];
        for (var i = 1; i <= steps.Count; i++)
        {
            if (i > 1)
            {
                z = unet.Out(feats[0]);
                tap?.Invoke($"step{i}.input", z);
            }
            tap?.Invoke($"step{i}.context", steps[i - 1].MetaPrompts);
            var next = unet.forward(z, steps[i - 1]);
            // Not needed any more; without gradients this returns a step's largest maps before the next one is computed.
            foreach (var feat in feats) feat.Dispose();
            feats = next;
            PartClock.Done($"step{i}");
            for (var k = 0; k < feats.Count; k++) tap?.Invoke($"step{i}.feat{k}", feats[k]);
        }
        foreach (var feat in feats) feat.MoveToOuterDisposeScope();
        return feats;
    }
}
