using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Flow;

/// <summary>A frame with what was seen in it. Owns the frame.</summary>
public sealed class PerceivedFrame(Frame frame, PerceptionResult result) : IDisposable
{
    public Frame Frame { get; } = frame;

    public PerceptionResult Result { get; } = result;

    public PerceivedFrame Share() => new(Frame.Share(), Result);

    public void Dispose() => Frame.Dispose();
}
