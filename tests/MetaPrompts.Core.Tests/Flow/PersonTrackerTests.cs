using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class PersonTrackerTests
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void Two_people_who_cross_keep_their_numbers_though_one_is_hidden()
    {
        var tracker = new PersonTracker();
        var numbers = new List<(int Left, int? Right)>();
        for (var n = 0; n < 60; n++)
        {
            var left = Someone(20 + (10 * n), 100);
            var right = Someone(620 - (10 * n), 110);
            // While they overlap most, the one behind is not seen.
            var hidden = Math.Abs(left.Box.Left - right.Box.Left) < 45;
            var seen = tracker.Follow(hidden ? [left] : n % 2 == 0 ? [left, right] : [right, left], 1, n * Frame);
            numbers.Add(hidden ? (seen[0].Track!.Value, null) : n % 2 == 0 ? (seen[0].Track!.Value, seen[1].Track) : (seen[1].Track!.Value, seen[0].Track));
        }

        Assert.Contains(numbers, n => n.Right is null);
        Assert.All(numbers, n => Assert.Equal(numbers[0].Left, n.Left));
        Assert.All(numbers.Where(n => n.Right is not null), n => Assert.Equal(numbers[0].Right, n.Right));
        Assert.NotEqual(numbers[0].Left, numbers[0].Right);
    }

    /// <summary>The clip of samples/ with its exact poses: three people, one passes before another, the camera walks; and each is overlooked now and then.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void People_of_the_rendered_sample_keep_their_numbers(double overlooked)
    {
        var random = new Random(3);
        var tracker = new PersonTracker();
        var numbers = new Dictionary<string, List<int>> { ["far"] = [], ["passing"] = [], ["left"] = [] };
        foreach (var line in File.ReadLines(Path.Combine(Repository(), "samples", "rendered-truth", "records.jsonl")))
        {
            var record = FrameRecord.Parse(System.Text.Encoding.UTF8.GetBytes(line));
            // Of whom only a foot is in the picture still, no box says anything.
            var seen = record.Pose!.People.Where(p => p.Box[2] >= 20 && p.Box[3] >= 40 && random.NextDouble() >= overlooked)
                .Select(p => new Pose(new Box((float)p.Box[0], (float)p.Box[1], (float)p.Box[2], (float)p.Box[3]), (float)p.Score, [.. p.Keypoints.Select(k => new Keypoint((float)k.X, (float)k.Y, (float)k.Score))])).ToList();
            foreach (var pose in tracker.Follow(seen, 1, record.Seq * Frame))
                numbers[pose.Box.Left < 100 ? "left" : pose.Box.Height > 150 ? "passing" : "far"].Add(pose.Track!.Value);
        }

        Assert.All(numbers, who => Assert.Single(who.Value.Distinct()));
        Assert.Equal(3, numbers.Values.Select(who => who[0]).Distinct().Count());
        Assert.InRange(numbers["far"].Count, 30, 59);                             // hidden once behind the one who passes
    }

    [Theory]
    [InlineData(PersonTracker.Patience, true)]
    [InlineData(PersonTracker.Patience + 1, false)]
    public void Ten_missed_frames_are_survived_and_no_more(int missed, bool same)
    {
        var tracker = new PersonTracker();
        var n = 0;
        for (; n < 5; n++) tracker.Follow([Someone(100 + (3 * n), 50)], 1, n * Frame);
        for (var k = 0; k < missed; k++, n++) tracker.Follow([], 1, n * Frame);
        var number = tracker.Follow([Someone(100 + (3 * n), 50)], 1, n * Frame)[0].Track;
        Assert.Equal(same ? 1 : 2, number);
    }

    [Fact]
    public void Somebody_elsewhere_is_somebody_else_and_a_new_connection_begins_anew()
    {
        var tracker = new PersonTracker();
        Assert.Equal(1, tracker.Follow([Someone(0, 0)], 1, Frame)[0].Track);
        Assert.Equal(2, tracker.Follow([Someone(400, 300)], 1, 2 * Frame)[0].Track);
        Assert.Equal(3, tracker.Follow([Someone(400, 300)], 2, 3 * Frame)[0].Track);
        Assert.Equal(4, tracker.Follow([Someone(400, 300)], 2, TimeSpan.FromSeconds(60))[0].Track);
    }

    [Fact]
    public void Poses_stay_as_they_are_and_in_their_order()
    {
        var tracker = new PersonTracker();
        Pose[] people = [Someone(0, 0), Someone(300, 0), Someone(600, 0)];
        Assert.Equal(people, tracker.Follow(people, 1, Frame).Select(p => p with { Track = null }));
        Assert.Equal([3, 2, 1], tracker.Follow([.. people.Reverse()], 1, 2 * Frame).Select(p => p.Track!.Value));
    }

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MetaPrompts.Stream.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("tests run outside the repository");
    }

    private static Pose Someone(float x, float y) => new(new Box(x, y, 60, 160), 0.9f, [.. Enumerable.Range(0, 17).Select(k => new Keypoint(x + (k * 7 % 60), y + (k * 9), 0.8f))]);
}
