using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Capture;

/// <summary>What is known of a source before its first frame. <c>inspect</c> prints it; a sink takes rate and time base from it.</summary>
/// <param name="Size">Of the picture at the source, as shown.</param>
/// <param name="Rate">Frames per second that will be yielded (<c>--every</c> counted); unknown where nobody says.</param>
/// <param name="TimeBase">Seconds per tick of the source's timestamps.</param>
/// <param name="Duration">Of what will be yielded; null where unknown or endless.</param>
/// <param name="FrameCount">About how many frames a run from sequence 0 yields; null where unknown. For a progress bar, not for arithmetic.</param>
/// <param name="Backend">Which program reads it, with its version.</param>
/// <param name="VariableRate">Frames are not evenly spaced.</param>
public sealed record MediaInfo(ImageSize Size, Rational Rate, Rational TimeBase, TimeSpan? Duration, long? FrameCount, string Codec, string Container, string Backend,
    int Rotation = 0, bool VariableRate = false, double? MeasuredRate = null);

/// <summary>A source that knows what it reads before it reads it.</summary>
public interface IMediaSource : IFrameSource
{
    MediaInfo Info { get; }

    /// <summary>Frames so far that could not be read and were left out; the reason of each was given to the log.</summary>
    long Unreadable { get; }
}
