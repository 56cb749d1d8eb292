using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.People;

/// <summary>Where the people of one stream's frames are (contract §6, <c>people.from</c>).</summary>
public interface IPersonLocator : IDisposable
{
    /// <summary>It remembers from frame to frame: frames must come one at a time and in order. Otherwise calls may run side by side.</summary>
    bool InOrder => false;

    /// <param name="frame">Borrowed.</param>
    /// <param name="seen">What is known of this frame so far: the segmentation, where a model makes one.</param>
    /// <returns>In pixels of the source, most wanted first.</returns>
    IReadOnlyList<Box> Locate(Frame frame, FramePerception seen);

    /// <summary>Told who was found in the frame that was asked about last.</summary>
    void Found(FrameStamp stamp, IReadOnlyList<Pose> people)
    {
    }
}
