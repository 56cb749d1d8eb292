using System.Runtime.InteropServices;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptsMulti"/>: depth, segmentation and pose of a batch from one pass. Owns the network.</summary>
public sealed class MultiTaskModel : IPerceptionModel, IServed
{
    // The UNet halves three times below 1/8: at multiples of 64 no skip needs resizing and every grid keeps its place in the picture.
    private const int Multiple = 64;
    private readonly MetaPromptsMulti _network;
    private readonly ServedNetwork _served;
    private readonly IReadOnlyList<PerceptionTask> _tasks;
    private readonly IReadOnlyList<PerceptionTask> _heads;   // poses are read with the help of classes, whether or not those are asked for
    private readonly Tensor? _person;                        // numbers of the classes that mean one, where poses are read

    /// <param name="network">With its weights; taken over.</param>
    /// <exception cref="Core.Errors.ConfigurationException">An option does not suit the model or this machine.</exception>
    public MultiTaskModel(ModelManifest manifest, MetaPromptsMulti network, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        (Manifest, _network) = (manifest, network);
        _tasks = options.ResolveTasks(manifest);
        _heads = _tasks;
        long[] person = _tasks.Contains(PerceptionTask.Pose) ? [.. SegmentedPeople.ClassesOf(manifest)] : [];
        if (person.Length > 0 && !_tasks.Contains(PerceptionTask.Segmentation)) _heads = [.. _tasks, PerceptionTask.Segmentation];
        _served = new ServedNetwork(manifest, network, network.PrepareStep, options);
        if (person.Length > 0) _person = tensor(person, device: _served.Device).DetachFromDisposeScope();
    }

    public ModelManifest Manifest { get; }

    ServedNetwork IServed.Served => _served;

    /// <inheritdoc/>
    public int Lanes => _served.Lanes;

    /// <inheritdoc/>
    public IReadOnlyList<string> Choices => _served.Choices;

    /// <inheritdoc/>
    public int RefineSteps => _served.RefineSteps;

    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => WorkingGrid.Near(frame, (Manifest.WorkingSize ?? frame).Pixels, Multiple);

    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => _served.Run(batch, steps =>
    {
        var image = InputTransform.ToUnitRange(batch.Frames, batch.Key, _served.Device, _served.Type, _served.Plain);
        PartClock.Done("preprocess");
        var output = _network.forward(image, steps, _heads)[0];
        PartClock.Done("head");
        var metres = output.Depth is null ? null : Enlarged(output.Depth, batch.Key).squeeze(1).cpu().contiguous();
        var classes = output.ClassLogits is null || !_tasks.Contains(PerceptionTask.Segmentation) ? null : Classes(output.ClassLogits, batch.Key);
        var pose = output.PoseMaps?.to(ScalarType.Float32).cpu().contiguous();
        var person = output.ClassLogits is null || _person is null ? null : output.ClassLogits.to(ScalarType.Float32).softmax(1)[.., TensorIndex.Tensor(_person)].sum(1).cpu().contiguous();
        return (IReadOnlyList<FramePerception>)[.. batch.Frames.Select((frame, i) => new FramePerception(
            metres is null ? null : new DepthPrediction(batch.Key, HostCopy.Of<float>(metres, i), Manifest.Name),
            classes is null ? null : new SegmentationPrediction(batch.Key, classes[i], Manifest.Name),
            pose is null ? null : new PosePrediction(People(pose[i], person?[i], frame.Stamp.SourceSize), Manifest.Name)))];
    });

    private static IReadOnlyList<Pose> People(Tensor maps, Tensor? person, ImageSize source)
    {
        var (height, width) = ((int)maps.size(1), (int)maps.size(2));
        return BottomUpPose.Decode(MemoryMarshal.Cast<byte, float>(maps.bytes), person is null ? [] : MemoryMarshal.Cast<byte, float>(person.bytes), height, width, (float)source.Width / width, (float)source.Height / height);
    }

    /// <returns>[H, W] of each picture.</returns>
    private unsafe byte[][] Classes(Tensor logits, ImageSize size)
    {
        var pictures = Enumerable.Range(0, (int)logits.size(0));
        if (!_served.OwnMaps || logits.dtype != ScalarType.Float32)
        {
            var likeliest = Enlarged(logits, size).argmax(1).to(ScalarType.Byte).cpu().contiguous();
            return [.. pictures.Select(i => HostCopy.Of<byte>(likeliest, i))];
        }
        var strides = (logits.stride(1), logits.stride(2), logits.stride(3));
        var from = new ImageSize((int)logits.size(2), (int)logits.size(3));
        var maps = pictures.Select(i => ClassMap.Run((float*)OneDnn.Data(logits) + i * logits.stride(0), (int)logits.size(1), from, strides, size)).ToArray();
        GC.KeepAlive(logits);
        return maps;
    }

    private static Tensor Enlarged(Tensor maps, ImageSize size) =>
        functional.interpolate(maps.to(ScalarType.Float32), size: [size.Height, size.Width], mode: InterpolationMode.Bilinear, align_corners: false);

    public void Dispose()
    {
        _served.Dispose();
        _person?.Dispose();
    }
}
