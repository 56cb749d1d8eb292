using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Evaluation;

/// <summary>
/// Says the same of every picture, without looking: for each row the mean depth, for each pixel the most frequent class, and one person in the mean pose, as seen in rendered
/// training scenes. A model that scores no better has learnt nothing from pictures.
/// </summary>
public sealed class TrivialBaseline : IPerceptionModel
{
    public const string Name = "baseline";

    /// <summary>Training scenes it has seen.</summary>
    public const int Scenes = 400;

    private static readonly ImageSize _grid = new(64, 96);
    private readonly float[] _metres;
    private readonly byte[] _classIds;
    private readonly IReadOnlyList<(float X, float Y)> _joints;

    private TrivialBaseline(float[] rows, byte[] classIds, IReadOnlyList<(float X, float Y)> joints)
    {
        _metres = [.. rows.SelectMany(metres => Enumerable.Repeat(metres, _grid.Width))];
        _classIds = classIds;
        _joints = joints;
    }

    public ModelManifest Manifest { get; } = SceneTruth.Manifest with { Name = Name, CanonicalFocal = RenderedAugmentation.CanonicalFocal };

    /// <summary>It only repeats itself: as many callers as like to.</summary>
    public int Lanes => Environment.ProcessorCount;

    /// <summary>Looks at training scenes of seed 0.</summary>
    public static TrivialBaseline Learn(int scenes = Scenes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(scenes, 1);
        var (logs, counts) = (new double[_grid.Height], new long[_grid.Height]);
        var votes = new int[_grid.Pixels, SceneClasses.All.Count];
        var (x, y, seen) = (new double[CocoSkeleton.Keypoints.Count], new double[CocoSkeleton.Keypoints.Count], new long[CocoSkeleton.Keypoints.Count]);
        foreach (var scene in OrderedRendering.Run(scenes, index => SyntheticScenes.Training(0, index, _grid)))
        {
            for (var i = 0; i < _grid.Pixels; i++)
            {
                votes[i, scene.ClassIds[i]]++;
                if (!float.IsFinite(scene.Depth[i])) continue;
                // The mean of the logarithm: a metre weighs more near than far, as in the scores.
                logs[i / _grid.Width] += Math.Log(scene.Depth[i] * RenderedAugmentation.CanonicalFocal / scene.FocalLength);
                counts[i / _grid.Width]++;
            }
            foreach (var person in scene.People)
            {
                for (var j = 0; j < seen.Length; j++)
                {
                    if (person.Joints[j].Visibility == 0) continue;
                    x[j] += person.Joints[j].X / _grid.Width;
                    y[j] += person.Joints[j].Y / _grid.Height;
                    seen[j]++;
                }
            }
        }
        var everywhere = logs.Sum() / counts.Sum();
        return new TrivialBaseline(
            [.. logs.Zip(counts, (sum, count) => (float)Math.Exp(count == 0 ? everywhere : sum / count))],
            [.. Enumerable.Range(0, _grid.Pixels).Select(i => (byte)Enumerable.Range(0, SceneClasses.All.Count).MaxBy(id => votes[i, id]))],
            [.. seen.Select((count, j) => count == 0 ? (0.5f, 0.5f) : ((float)(x[j] / count), (float)(y[j] / count)))]);
    }

    /// <summary>Whether its classes can be compared with a data set's.</summary>
    public bool KnowsClassesOf(EvaluationProtocol protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        return ClassMapping.Find(protocol.Dataset, protocol.Classes, Manifest.Classes) is not null;
    }

    public ImageSize BatchKey(ImageSize frame) => frame;

    public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return [.. batch.Frames.Select(frame => new FramePerception(new DepthPrediction(_grid, _metres, Name), new SegmentationPrediction(_grid, _classIds, Name),
            new PosePrediction([MeanPose(frame.Stamp.SourceSize)], Name)))];
    }

    private Pose MeanPose(ImageSize size)
    {
        var joints = _joints.Select(joint => new Keypoint(joint.X * size.Width, joint.Y * size.Height, 1)).ToList();
        var (left, top) = (joints.Min(joint => joint.X), joints.Min(joint => joint.Y));
        return new Pose(new Box(left, top, joints.Max(joint => joint.X) - left, joints.Max(joint => joint.Y) - top), 1, joints);
    }

    public void Dispose()
    {
    }
}
