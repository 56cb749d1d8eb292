using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.People;

/// <summary>
/// Where those who were seen are expected to be: around their last pose, enlarged, moved on as they moved. Who is not followed yet is found by <paramref name="newcomers"/>; without it the whole picture is
/// looked at while nobody is followed.
/// </summary>
/// <param name="newcomers">Taken over; null for nobody.</param>
public sealed class FollowedPeople(IPersonLocator? newcomers) : IPersonLocator
{
    /// <summary>How much is added at each side: joints lie inside the body, and people move.</summary>
    private const float Margin = 0.25f;

    /// <summary>A joint below this is a guess; fewer good ones than <see cref="LeastJoints"/> say nothing about where the person is.</summary>
    private const float LeastJoint = 0.2f;

    private const int LeastJoints = 4;

    /// <summary>Two boxes that overlap more have come to mean one person.</summary>
    private const float Same = 0.7f;

    private readonly PersonTracker _tracker = new();

    public bool InOrder => true;

    public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var (stamp, boxes) = (frame.Stamp, new List<Box>());
        foreach (var pose in _tracker.Expected(stamp.Epoch, stamp.MediaTime))
        {
            var box = Around(pose).Within(stamp.SourceSize);
            if (box.Area() >= 1 && !boxes.Any(other => Boxes.Overlap(other, box) > Same)) boxes.Add(box);
        }

        if (newcomers is not null) boxes.AddRange(newcomers.Locate(frame, seen).Where(box => !boxes.Any(other => Boxes.BelongTogether(other, box))).ToList());
        else if (boxes.Count == 0) boxes.Add(Boxes.Of(stamp.SourceSize));
        return boxes;
    }

    public void Found(FrameStamp stamp, IReadOnlyList<Pose> people)
    {
        ArgumentNullException.ThrowIfNull(stamp);
        _tracker.Follow(people, stamp.Epoch, stamp.MediaTime);
    }

    public void Dispose() => newcomers?.Dispose();

    /// <summary>Never the box the pose was looked for in: it would grow from frame to frame.</summary>
    private static Box Around(Pose pose)
    {
        var joints = pose.Keypoints.Where(k => k.Score > LeastJoint).ToList();
        if (joints.Count < LeastJoints) return pose.Box;
        var (left, right, top, bottom) = (joints.Min(k => k.X), joints.Max(k => k.X), joints.Min(k => k.Y), joints.Max(k => k.Y));
        // Somebody seen from the side is narrow: as wide as a quarter of the height at least, and the other way round.
        var (width, height) = (Math.Max(right - left, (bottom - top) / 4), Math.Max(bottom - top, (right - left) / 4));
        var (x, y) = ((left + right) / 2, (top + bottom) / 2);
        return new Box(x - (width * (0.5f + Margin)), y - (height * (0.5f + Margin)), width * (1 + (2 * Margin)), height * (1 + (2 * Margin)));
    }
}
