using MetaPrompts.Core.Wire;

namespace MetaPrompts.Core.Doors;

/// <summary>
/// Where the house tells outsiders how its streams fare (MQTT's retained topics). The last word of each stream stands until the next. No call blocks, throws or does I/O; safe from any thread.
/// </summary>
public interface IStatusBoard
{
    /// <summary>A state of a stream began, or its counts are worth telling again.</summary>
    void Show(StreamStatus status);

    /// <summary>A stream's size, rate or codec became known, or changed.</summary>
    void Show(StreamInfo info);

    /// <summary>The node was asked to stop.</summary>
    void ShowDraining();
}
