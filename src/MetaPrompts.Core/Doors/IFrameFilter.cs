using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Doors;

/// <summary>
/// Decides before the mailbox whether a frame is worth computing (every n-th, at most n a second, motion). Serves one stream and may keep state; called in order.
/// A frame it turns down is not counted as captured: nobody asked for it.
/// </summary>
public interface IFrameFilter
{
    /// <summary>Only reads <paramref name="frame"/>.</summary>
    bool Accepts(Frame frame);
}
