using System.Text.Json;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference.Protocols;
using MetaPrompts.Testing;

namespace MetaPrompts.Model.Tests.Inference.Protocols;

public sealed class OksNmsTests
{
    [Fact]
    public void KeepsWhomTheReferenceKeeps()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf("metrics", "pose.json")));
        var golden = json.RootElement.GetProperty("oks_nms");
        var people = golden.GetProperty("people").EnumerateArray().ToList();
        var poses = people.Select(person => Person(person.GetProperty("score").GetSingle(), [.. person.GetProperty("keypoints").EnumerateArray().Select(number => number.GetSingle())])).ToList();
        var kept = OksNms.Kept(poses, [.. people.Select(person => person.GetProperty("area").GetDouble())], golden.GetProperty("threshold").GetDouble());
        Assert.Equal(golden.GetProperty("keep").EnumerateArray().Select(number => number.GetInt32()), kept);
        Assert.InRange(kept.Count, 1, people.Count - 1);
    }

    [Fact]
    public void OfTwoThatAreTheSameTheBetterStaysAndOfTwoApartBoth()
    {
        var joints = Enumerable.Range(0, 17 * 3).Select(i => (float)i).ToArray();
        var far = joints.Select((number, i) => i % 3 == 0 ? number + 500 : number).ToArray();
        Assert.Equal([1, 2], OksNms.Kept([Person(0.5f, joints), Person(0.9f, joints), Person(0.1f, far)], [2500, 2500, 2500], 0.9));
    }

    private static Pose Person(float score, float[] triples) =>
        new(default, score, [.. Enumerable.Range(0, 17).Select(j => new Keypoint(triples[3 * j], triples[3 * j + 1], triples[3 * j + 2]))]);
}
