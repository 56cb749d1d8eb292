using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Perception;

/// <summary>
/// Synchronous and bound to one thread on purpose: TorchSharp's dispose scopes and libtorch's gradient mode belong to a thread, not to an async flow.
/// Called from DeviceThreads only, from as many as <see cref="Lanes"/> at a time.
/// </summary>
public interface IPerceptionModel : IDisposable
{
    ModelManifest Manifest { get; }

    /// <summary>Calls that may run side by side, each on a thread of its own. A small network gains more from two frames at once than from two threads on one frame (docs/decisions).</summary>
    int Lanes => 1;

    /// <summary>Each frame takes so many, unless its batch asks for fewer (<see cref="FrameBatch.MostSteps"/>).</summary>
    int RefineSteps => 1;

    /// <summary>Its pose looks at one person at a time, and must be told where; otherwise it finds people by itself.</summary>
    bool NeedsPlaces => false;

    /// <summary>What the model chose to be fast and why, a line each; complete once a frame has passed.</summary>
    IReadOnlyList<string> Choices => [];

    /// <summary>
    /// Frames with equal keys may share a batch: the size the network will see. A working size keeps the frame's aspect, so cameras of one aspect mix;
    /// without a working size (reference mode) the key is the frame's own size.
    /// </summary>
    ImageSize BatchKey(ImageSize frame);

    /// <summary>One perception per frame, same order: a prediction for each of the tasks that were asked for. Reads the batch, does not dispose it.</summary>
    /// <exception cref="FrameRejectedException">A frame cannot be processed (size 0, unsupported); the others can be sent again.</exception>
    IReadOnlyList<Results.FramePerception> Predict(FrameBatch batch);

    /// <summary>The same, for a model that <see cref="NeedsPlaces"/>; another does not ask.</summary>
    /// <param name="places">Where the people of a frame are, in pixels of the source: asked with the frame's place in the batch, and with what has been seen in it so far.</param>
    /// <inheritdoc cref="Predict(FrameBatch)"/>
    IReadOnlyList<Results.FramePerception> Predict(FrameBatch batch, Func<int, Results.FramePerception, IReadOnlyList<Results.Box>> places) => Predict(batch);
}
