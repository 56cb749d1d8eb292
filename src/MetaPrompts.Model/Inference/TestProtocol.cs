using System.Globalization;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Model.Inference;

/// <summary>What a manifest says about its published protocol: checked, and told in words.</summary>
public static class TestProtocol
{
    private const int MostWindows = 64, LargestCrop = 4096, MostScales = 16, JointsWithMirror = 17;

    /// <summary>For reports: <c>protocol paper: 2 windows, each also mirrored</c>.</summary>
    /// <param name="manifest">Of an opened model: its protocol is the one that runs.</param>
    public static string Describe(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return manifest.Protocol == ModelManifest.Published ? $"protocol paper: {Details(manifest)}" : "protocol stream: one forward of the whole picture";
    }

    /// <summary>The published protocol in words, whether or not it runs.</summary>
    /// <exception cref="ArgumentException">The manifest has none.</exception>
    public static string Details(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var paper = manifest.Paper ?? throw new ArgumentException($"{manifest.Name} has no published protocol", nameof(manifest));
        return manifest.Network.Kind switch
        {
            "depth" => string.Create(CultureInfo.InvariantCulture, $"{(paper.Windows == 1 ? "the whole picture" : $"{paper.Windows} square windows")}{(paper.Flip ? ", each also mirrored" : "")}"),
            "segmentation" => string.Create(CultureInfo.InvariantCulture,
                $"{(paper.Fit is { } fit ? $"fitted into {Math.Max(fit.Height, fit.Width)}x{Math.Min(fit.Height, fit.Width)}, " : "")}{(paper.Crop is { } crop ? $"windows of {crop} every {paper.Stride!.Value}" : "the whole picture")}, scales {string.Join(' ', paper.Scales)}{(paper.Flip ? ", each also mirrored" : "")}"),
            _ => string.Create(CultureInfo.InvariantCulture,
                $"{(paper.Decoding == PoseDecoding.DarkUdp ? "UDP crops, DARK-UDP decoding" : "three-point crops, quarter-cell decoding")}{(paper.Flip ? ", flip test" : "")}{(paper.OksNms is { } nms ? $", OKS-NMS {nms}" : "")}"),
        };
    }

    /// <param name="demand">Told what must hold, and how to put it where it does not.</param>
    internal static void Check(ModelManifest manifest, Action<bool, string> demand)
    {
        demand(manifest.Protocol is ModelManifest.Stream or ModelManifest.Published, "protocol must be stream (one forward of the whole frame) or paper (the published test protocol)");
        if (manifest.Paper is not { } paper)
        {
            demand(manifest.Protocol == ModelManifest.Stream, "protocol paper needs 'paper', which says what the published protocol is");
            return;
        }
        var kind = manifest.Network.Kind;
        demand(kind is "depth" or "segmentation" or "pose", "a network of several tasks has no published protocol; leave out paper");
        demand(paper.Windows is >= 1 and <= MostWindows && (paper.Windows == 1 || kind == "depth"), $"paper.windows must be 1…{MostWindows}, and is for depth");
        demand((paper.Crop is null) == (paper.Stride is null) && (paper.Crop is null || kind == "segmentation"), "paper.crop and paper.stride go together, and are for segmentation");
        demand(paper.Crop is not { } crop || paper.Stride is not { } stride || (crop.Height is >= 8 and <= LargestCrop && crop.Width is >= 8 and <= LargestCrop && stride.Height >= 1 && stride.Height <= crop.Height && stride.Width >= 1 && stride.Width <= crop.Width),
            $"paper.crop must be 8…{LargestCrop} a side, paper.stride 1 to the crop's");
        demand(paper.Fit is not { } fit || (kind == "segmentation" && fit.Height is >= 8 and <= 16384 && fit.Width is >= 8 and <= 16384), "paper.fit must be 8…16384 a side, and is for segmentation");
        demand(paper.Scales.Count is >= 1 and <= MostScales && paper.Scales.All(scale => scale is >= 0.05 and <= 4) && (kind == "segmentation" || (paper.Scales.Count == 1 && paper.Scales[0] == 1)),
            $"paper.scales must be 1…{MostScales} numbers of 0.05…4, and are for segmentation");
        demand(paper.OksNms is not { } nms || (kind == "pose" && nms is > 0 and <= 1), "paper.oksNms must be above 0 and at most 1, and is for pose");
        demand(kind == "pose" || paper.Decoding == default, "paper.decoding is for pose");
        demand(kind != "pose" || !(paper.Flip || paper.OksNms is not null) || manifest.Keypoints.Count == JointsWithMirror, $"paper.flip and paper.oksNms know the {JointsWithMirror} joints of COCO only");
    }
}
