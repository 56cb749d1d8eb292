using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference;
using MetaPrompts.Testing;
using MetaPrompts.Training.Data;

namespace MetaPrompts.Training.Tests;

/// <summary>The shipped model reads poses with the help of its classes; what it finds does not depend on whether those were asked for.</summary>
[Collection(OneAtATime.Name)]
public sealed class MiniPeopleTests
{
    private const int Scenes = 16;
    private static readonly ImageSize _size = new(192, 256);

    [Fact]
    public void PeopleAreTheSameWhetherOrNotClassesAreAskedFor()
    {
        var (alone, together) = (People([PerceptionTask.Pose]), People([PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose]));
        Assert.InRange(alone.Sum(people => people.Count), Scenes / 4, Scenes * BottomUpPose.MostPeople);
        foreach (var (one, other) in alone.Zip(together))
        {
            Assert.Equal(one.Count, other.Count);
            foreach (var (pose, same) in one.Zip(other)) Assert.Equal(pose.Keypoints, same.Keypoints);
        }
    }

    /// <summary>Of each validation scene.</summary>
    private static List<IReadOnlyList<Pose>> People(IReadOnlyList<PerceptionTask> tasks)
    {
        using var model = PerceptionModels.Open("mini", new ExecutionOptions { Device = "cpu", Precision = "fp32", Tasks = tasks });
        var found = new List<IReadOnlyList<Pose>>();
        for (var i = 0; i < Scenes; i++)
        {
            var frame = FakeFrames.Make(new StreamId("scenes"), i, size: _size);
            SyntheticScenes.Validation(i, _size).Rgb.CopyTo(frame.Pixels.Rgb);
            using var batch = new FrameBatch([frame], _size);
            var seen = Assert.Single(model.Predict(batch));
            Assert.Equal(tasks.Contains(PerceptionTask.Segmentation), seen.Segmentation is not null);
            found.Add(seen.Pose!.People);
        }
        return found;
    }
}
