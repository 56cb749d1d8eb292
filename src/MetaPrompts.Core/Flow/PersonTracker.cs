using MetaPrompts.Core.People;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Gives the people of one stream numbers that stay theirs. A person is where they were, moved on as they moved: the new poses are matched with that, best first, by overlap of the boxes and likeness of the
/// keypoints (OKS, as COCO scores it). Somebody unseen for <see cref="Patience"/> frames is forgotten; a number is never used again. Called in the order of the frames.
/// </summary>
public sealed class PersonTracker
{
    /// <summary>Frames a person may be missed, behind another for example, and still be the same.</summary>
    public const int Patience = 10;

    /// <summary>Less than this is somebody else.</summary>
    private const double LeastLikeness = 0.12;

    /// <summary>Share of the newest movement in a person's velocity.</summary>
    private const double NewestMovement = 0.5;

    /// <summary>After so long without a frame nobody is where they were.</summary>
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(3);

    private readonly List<Person> _people = [];
    private int _lastNumber;
    private TimeSpan? _lastTime;
    private int _lastEpoch;

    private sealed class Person
    {
        public required int Number { get; init; }

        public required Pose Pose { get; set; }

        public TimeSpan SeenAt { get; set; }

        /// <summary>Pixels a second.</summary>
        public (double X, double Y) Velocity { get; set; }

        public int Missed { get; set; }

        public Pose At(TimeSpan time)
        {
            var (dx, dy) = ((float)(Velocity.X * (time - SeenAt).TotalSeconds), (float)(Velocity.Y * (time - SeenAt).TotalSeconds));
            return Pose with { Box = Pose.Box with { Left = Pose.Box.Left + dx, Top = Pose.Box.Top + dy }, Keypoints = [.. Pose.Keypoints.Select(k => k with { X = k.X + dx, Y = k.Y + dy })] };
        }
    }

    /// <returns>The same people, in the same order, each with a number.</returns>
    public IReadOnlyList<Pose> Follow(IReadOnlyList<Pose> seen, int epoch, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(seen);
        if (!Continues(epoch, time)) _people.Clear();
        (_lastEpoch, _lastTime) = (epoch, time);

        var numbers = new int?[seen.Count];
        var expected = _people.Select(p => (Person: p, Pose: p.At(time))).ToList();
        var pairs = from i in Enumerable.Range(0, seen.Count) from e in expected let likeness = Likeness(e.Pose, seen[i]) where likeness >= LeastLikeness orderby likeness descending select (i, e.Person);
        var taken = new HashSet<Person>();
        foreach (var (i, person) in pairs)
        {
            if (numbers[i] is not null || !taken.Add(person)) continue;
            numbers[i] = person.Number;
            Move(person, seen[i], time);
        }

        foreach (var person in _people.Where(p => !taken.Contains(p))) person.Missed++;
        _people.RemoveAll(p => p.Missed > Patience);
        for (var i = 0; i < seen.Count; i++)
        {
            if (numbers[i] is not null) continue;
            numbers[i] = ++_lastNumber;
            _people.Add(new Person { Number = _lastNumber, Pose = seen[i], SeenAt = time });
        }

        return [.. seen.Select((pose, i) => pose with { Track = numbers[i] })];
    }

    /// <summary>Where those who are followed will be, longest known first; nobody after a gap or in another connection.</summary>
    public IReadOnlyList<Pose> Expected(int epoch, TimeSpan time) => Continues(epoch, time) ? [.. _people.Select(p => p.At(time))] : [];

    /// <summary>Nobody is where they were after a new connection, a long gap or a jump back.</summary>
    private bool Continues(int epoch, TimeSpan time) => epoch == _lastEpoch && time - _lastTime <= Outage && time >= _lastTime;

    private static void Move(Person person, Pose pose, TimeSpan time)
    {
        var seconds = (time - person.SeenAt).TotalSeconds;
        if (seconds > 0)
        {
            var (from, to) = (Centre(person.Pose.Box), Centre(pose.Box));
            var (vx, vy) = ((to.X - from.X) / seconds, (to.Y - from.Y) / seconds);
            person.Velocity = ((NewestMovement * vx) + ((1 - NewestMovement) * person.Velocity.X), (NewestMovement * vy) + ((1 - NewestMovement) * person.Velocity.Y));
        }

        (person.Pose, person.SeenAt, person.Missed) = (pose, time, 0);
    }

    /// <summary>0…1: overlap, likeness of the keypoints, and a little for being near at all.</summary>
    private static double Likeness(Pose expected, Pose seen)
    {
        var near = Math.Max(0, 1 - (Distance(Centre(expected.Box), Centre(seen.Box)) / Math.Max(1, 0.7 * Math.Max(Diagonal(expected.Box), Diagonal(seen.Box)))));
        return (0.45 * Boxes.Overlap(expected.Box, seen.Box)) + (0.35 * KeypointLikeness(expected, seen)) + (0.2 * near);
    }

    /// <summary>OKS over the joints, weighted by how sure both are.</summary>
    private static double KeypointLikeness(Pose a, Pose b)
    {
        if (a.Keypoints.Count != b.Keypoints.Count) return 0;
        var area = Math.Max(1, ((a.Box.Width * a.Box.Height) + (b.Box.Width * b.Box.Height)) / 2);
        double sum = 0, weights = 0;
        for (var k = 0; k < a.Keypoints.Count; k++)
        {
            var (p, q) = (a.Keypoints[k], b.Keypoints[k]);
            var weight = Math.Min(p.Score, q.Score);
            if (weight <= 0) continue;
            // A joint that moves between two frames is no annotator's doubt: twice their spread.
            var spread = 2 * 2 * (a.Keypoints.Count == CocoJoints.Sigmas.Count ? CocoJoints.Sigmas[k] : 0.08);
            sum += weight * Math.Exp(-(((p.X - q.X) * (p.X - q.X)) + ((p.Y - q.Y) * (p.Y - q.Y))) / (2 * area * spread * spread));
            weights += weight;
        }

        return weights > 0 ? sum / weights : 0;
    }

    private static (double X, double Y) Centre(Box box) => (box.Left + (box.Width / 2), box.Top + (box.Height / 2));

    private static double Diagonal(Box box) => Math.Sqrt((box.Width * box.Width) + (box.Height * box.Height));

    private static double Distance((double X, double Y) a, (double X, double Y) b) => Math.Sqrt(((a.X - b.X) * (a.X - b.X)) + ((a.Y - b.Y) * (a.Y - b.Y)));
}
