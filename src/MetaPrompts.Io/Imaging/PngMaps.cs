using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>Steps per metre of a 16-bit depth map.</summary>
public enum DepthScale
{
    /// <summary>1000: one step is a millimetre.</summary>
    Millimetres = 1000,

    /// <summary>256: as KITTI's own files.</summary>
    Kitti = 256,
}

/// <summary>Dense maps as PNG, readable by every imaging library (<c>cv2.imread(path, -1)</c>).</summary>
public static class PngMaps
{
    /// <summary>16-bit grey; 0 means no measurement, what is too far for 16 bits is written as the farthest value.</summary>
    public static byte[] Depth(DepthPrediction depth, DepthScale scale = DepthScale.Millimetres)
    {
        ArgumentNullException.ThrowIfNull(depth);
        var steps = new ushort[depth.Size.Pixels];
        var metres = depth.Metres.Span;
        for (var i = 0; i < steps.Length; i++)
        {
            var value = metres[i] * (float)scale;
            // Not a number and not positive: no measurement. At least 1 otherwise, 0 being taken.
            steps[i] = value > 0 ? (ushort)Math.Clamp(MathF.Round(value), 1, ushort.MaxValue) : (ushort)0;
        }

        var png = Array.Empty<byte>();
        // Level 1: a tenth larger than the default and five times as fast.
        MatBridge.With<ushort>(steps, depth.Size, MatType.CV_16UC1, mat => Cv2.ImEncode(".png", mat, out png, new ImageEncodingParam(ImwriteFlags.PngCompression, 1)));
        return png;
    }

    /// <summary>8-bit class ids with the classes' colours as palette.</summary>
    public static byte[] Segmentation(SegmentationPrediction segmentation, IReadOnlyList<ClassInfo> classes)
    {
        ArgumentNullException.ThrowIfNull(segmentation);
        return IndexedPng.Encode(segmentation.Size, segmentation.ClassIds.Span, ClassColours.Palette(classes));
    }
}
