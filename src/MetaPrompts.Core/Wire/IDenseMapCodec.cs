using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Wire;

/// <summary>Writes dense maps in a format that exists (PNG, npy): <c>cv2.imdecode(payload, -1)</c> or <c>np.load</c> reads them in one line (contract §5). Safe to use from several threads.</summary>
public interface IDenseMapCodec
{
    /// <summary>As in MQTT's content type: <c>image/png</c>, <c>application/x-npy</c>.</summary>
    string ContentType { get; }

    /// <summary>Of a file, with the dot.</summary>
    string Extension { get; }

    /// <summary>Of <see cref="Encode(DepthPrediction, double)"/>: 16UC1 or 32FC1.</summary>
    string DepthEncoding { get; }

    /// <summary>[H, W] steps of <paramref name="scale"/> metres (0.001: millimetres), rounded; what does not fit is written as the largest value.</summary>
    byte[] Encode(DepthPrediction depth, double scale);

    /// <summary>[H, W] class ids, 8 bits, with the classes' colours where the format has a palette.</summary>
    byte[] Encode(SegmentationPrediction segmentation, IReadOnlyList<ClassInfo> classes);
}
