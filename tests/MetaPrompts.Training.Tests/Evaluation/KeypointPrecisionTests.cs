using System.Text.Json;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class KeypointPrecisionTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllBytes(GoldenFixture.PathOf("metrics", "pose.json"))).RootElement.GetProperty("coco");

    private static IEnumerable<int> Images => Golden.GetProperty("ground_truth").EnumerateArray().Concat(Golden.GetProperty("detections").EnumerateArray())
        .Select(person => person.GetProperty("image_id").GetInt32()).Distinct().Order();

    [Fact]
    public void Similarity_is_the_references()
    {
        var compared = 0;
        foreach (var image in Golden.GetProperty("oks").EnumerateObject())
        {
            var id = int.Parse(image.Name);
            var (truths, found) = (Truths(id), Found(id).OrderByDescending(pose => pose.Score).ToList());
            for (var d = 0; d < image.Value.GetArrayLength(); d++)
            {
                for (var g = 0; g < truths.Count; g++)
                {
                    Assert.Equal(image.Value[d][g].GetDouble(), ObjectKeypointSimilarity.Of(found[d], truths[g]), 1e-4);
                    compared++;
                }
            }
        }
        Assert.True(compared > 20);
    }

    [Fact]
    public void Average_precision_is_pycocotools()
    {
        var scores = new KeypointPrecision();
        foreach (var id in Images) scores.Add(Truths(id), Found(id));
        var stats = Golden.GetProperty("stats");
        foreach (var (name, value) in scores.Scores().Named)
        {
            var theirs = name switch { "APM" => "AP_M", "APL" => "AP_L", _ => name };
            Assert.True(Math.Abs(stats.GetProperty(theirs).GetDouble() - value) < 1e-6, $"{name}: {value} instead of {stats.GetProperty(theirs)}");
        }
    }

    [Fact]
    public void Without_people_there_is_no_score()
    {
        var scores = new KeypointPrecision();
        scores.Add([], []);
        Assert.All(scores.Scores().Named, score => Assert.True(double.IsNaN(score.Value)));
    }

    [Fact]
    public void Correct_keypoints_are_counted_against_the_torso()
    {
        var joints = Enumerable.Range(0, 17).Select(j => new SceneJoint(10 * (j % 5), 12 * (j / 5), 2)).ToArray();
        (joints[5], joints[6], joints[11], joints[12]) = (new(40, 20, 2), new(10, 20, 2), new(40, 60, 2), new(10, 60, 2));      // torso: 50 pixels
        joints[16] = joints[16] with { Visibility = 1 };
        var truth = new KeypointTruth(joints, new Box(0, 0, 50, 70), 1800);
        var found = joints.Select(joint => new Keypoint(joint.X, joint.Y, 1)).ToArray();
        found[0] = found[0] with { X = found[0].X + 9.9f };          // within 0.2 torso
        found[9] = found[9] with { Y = found[9].Y + 10.1f };         // outside
        found[16] = found[16] with { X = 500 };                      // hidden: not asked
        var scores = new CorrectKeypoints();
        scores.Add([truth], [new Pose(truth.Box, 0.9f, found)]);
        Assert.Equal(15 / 16.0, scores.Share, 1e-9);
        scores.Add([truth], []);
        Assert.Equal(15 / 32.0, scores.Share, 1e-9);
        scores.Add([truth with { Ignored = true }], []);
        Assert.Equal(15 / 32.0, scores.Share, 1e-9);
    }

    [Fact]
    public void Who_was_missed_is_not_judged_by_the_pose_of_another()
    {
        // Two people side by side; the larger was missed, and only the smaller one, of whom nobody asks, was found.
        static SceneJoint[] Standing(float left, float size) => [.. Enumerable.Range(0, 17).Select(j => new SceneJoint(left + size * (j % 2), size * (j / 2), 2))];
        static KeypointTruth Truth(SceneJoint[] joints, float size) => new(joints, new Box(joints[0].X, 0, size, 8 * size), 8 * size * size);
        var (large, small) = (Truth(Standing(0, 40), 40), Truth(Standing(60, 20), 20));
        var found = new Pose(small.Box, 0.9f, [.. small.Joints.Select(joint => new Keypoint(joint.X, joint.Y, 1))]);
        Assert.True(ObjectKeypointSimilarity.Of(found, large) > 0);
        CorrectKeypoints all = new(), tall = new(), counting = new();
        all.Add([large, small], [found]);
        Assert.Equal(0.5, all.Share);
        tall.Add([large, small], [found], truth => truth == large);
        Assert.Equal(0, tall.Share);
        counting.Add([large, small with { Ignored = true }], [found]);
        Assert.Equal(0, counting.Share);
    }

    private static List<KeypointTruth> Truths(int image) => [.. Of("ground_truth", image).Select(person => new KeypointTruth(
        [.. Triples(person).Select(t => new SceneJoint((float)t.X, (float)t.Y, (int)t.Last))], BoxOf(person), person.GetProperty("area").GetDouble(), person.GetProperty("iscrowd").GetInt32() == 1))];

    private static List<Pose> Found(int image) => [.. Of("detections", image).Select(person => new Pose(
        default, person.GetProperty("score").GetSingle(), [.. Triples(person).Select(t => new Keypoint((float)t.X, (float)t.Y, (float)t.Last))]))];

    private static IEnumerable<JsonElement> Of(string list, int image) => Golden.GetProperty(list).EnumerateArray().Where(person => person.GetProperty("image_id").GetInt32() == image);

    private static Box BoxOf(JsonElement person)
    {
        var box = person.GetProperty("bbox");
        return new(box[0].GetSingle(), box[1].GetSingle(), box[2].GetSingle(), box[3].GetSingle());
    }

    private static IEnumerable<(double X, double Y, double Last)> Triples(JsonElement person) =>
        person.GetProperty("keypoints").EnumerateArray().Select(value => value.GetDouble()).Chunk(3).Select(triple => (triple[0], triple[1], triple[2]));
}
