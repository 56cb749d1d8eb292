using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.People;

/// <summary>One person, who fills the picture.</summary>
public sealed class WholePicture : IPersonLocator
{
    public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return [Boxes.Of(frame.Stamp.SourceSize)];
    }

    public void Dispose()
    {
    }
}
