using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Less flicker where the picture stands still: there depth follows the model only by a share each frame, and a class changes only once the model has said the same other one three times running. Where the
/// picture moves, the model's word stands at once. Not what the network computes, so it is asked for, and each record it touched says so (<see cref="FramePerception.Steadied"/>).
/// One stream's frames, in order.
/// </summary>
public sealed class SteadyFilter
{
    /// <summary>Steps of 255 that a channel of a pixel that stands still may move by from one frame to the next: what compression alone does.</summary>
    public const int Still = 6;

    /// <summary>Share of the new depth.</summary>
    private const float New = 0.3f;

    /// <summary>Times a class must be said running.</summary>
    private const int Said = 3;

    /// <summary>After a longer silence the past says nothing of the present.</summary>
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(1);

    private FrameStamp? _last;
    private byte[] _picture = [];
    private DepthPrediction? _depth;
    private SegmentationPrediction? _classes;
    private (byte Class, byte Times)[] _said = [];

    /// <param name="frame">Borrowed.</param>
    /// <param name="seen">What the model said of it.</param>
    /// <returns>The same, steadied; as it came for the first frame of a stream, after a change of size or connection, after a silence, and where the frame is damaged.</returns>
    public FramePerception Steady(Frame frame, FramePerception seen)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(seen);
        var (stamp, size) = (frame.Stamp, frame.Pixels.Size);
        var rgb = frame.Pixels.Rgb;
        var follows = _last is not null && !stamp.Corrupt && stamp.Epoch == _last.Epoch && _picture.Length == rgb.Length && stamp.MediaTime - _last.MediaTime <= _longest && stamp.MediaTime > _last.MediaTime;
        if (follows)
        {
            var depth = seen.Depth is { } now && _depth is { } before && now.Size == before.Size ? Depth(rgb, size, now, before) : null;
            var classes = seen.Segmentation is { } said && _classes is { } old && said.Size == old.Size ? Classes(rgb, size, said, old) : null;
            seen = seen with { Depth = depth ?? seen.Depth, Segmentation = classes ?? seen.Segmentation, Steadied = depth is not null || classes is not null };
        }

        if (_picture.Length != rgb.Length) _picture = new byte[rgb.Length];
        if (!follows || _said.Length != (seen.Segmentation?.ClassIds.Length ?? 0)) _said = new (byte, byte)[seen.Segmentation?.ClassIds.Length ?? 0];
        rgb.CopyTo(_picture);
        (_last, _depth, _classes) = (stamp, seen.Depth, seen.Segmentation);
        return seen;
    }

    private DepthPrediction Depth(ReadOnlySpan<byte> rgb, ImageSize size, DepthPrediction now, DepthPrediction before)
    {
        var fresh = now.Metres.Span;
        var old = before.Metres.Span;
        var metres = fresh.ToArray();
        for (var i = 0; i < metres.Length; i++)
        {
            if (old[i] > 0 && fresh[i] > 0 && IsStill(rgb, _picture, Under(i, now.Size, size))) metres[i] = old[i] + (New * (fresh[i] - old[i]));
        }

        return now with { Metres = metres };
    }

    private SegmentationPrediction Classes(ReadOnlySpan<byte> rgb, ImageSize size, SegmentationPrediction now, SegmentationPrediction before)
    {
        var old = before.ClassIds.Span;
        var ids = now.ClassIds.ToArray();
        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i] == old[i] || !IsStill(rgb, _picture, Under(i, now.Size, size)))
            {
                _said[i] = default;
                continue;
            }

            var times = _said[i].Class == ids[i] ? _said[i].Times + 1 : 1;
            _said[i] = times < Said ? (ids[i], (byte)times) : default;
            if (times < Said) ids[i] = old[i];
        }

        return now with { ClassIds = ids };
    }

    /// <summary>The picture's pixel under the middle of a map's.</summary>
    public static int Under(int at, ImageSize map, ImageSize picture) => map == picture ? at :
        (Math.Min(picture.Height - 1, (int)((at / map.Width + 0.5) * picture.Height / map.Height)) * picture.Width) + Math.Min(picture.Width - 1, (int)((at % map.Width + 0.5) * picture.Width / map.Width));

    /// <param name="rgb">[H, W, 3]; so is <paramref name="before"/>.</param>
    public static bool IsStill(ReadOnlySpan<byte> rgb, ReadOnlySpan<byte> before, int pixel) =>
        Math.Abs(rgb[3 * pixel] - before[3 * pixel]) <= Still && Math.Abs(rgb[(3 * pixel) + 1] - before[(3 * pixel) + 1]) <= Still && Math.Abs(rgb[(3 * pixel) + 2] - before[(3 * pixel) + 2]) <= Still;
}
