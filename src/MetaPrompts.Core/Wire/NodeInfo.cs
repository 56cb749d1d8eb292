using System.Text.Json;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Wire;

/// <summary>The payload of <c>{node}/info</c>, retained.</summary>
/// <param name="Node">Names the topic and the records.</param>
/// <param name="Version">Of the program.</param>
/// <param name="Device">cpu, cuda:0.</param>
/// <param name="Streams">Every stream the node has, whatever its state.</param>
public sealed record NodeInfo(string Node, string Version, string Device, IReadOnlyList<ModelDigest> Models, IReadOnlyList<StreamId> Streams)
{
    /// <summary>UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(new NodeInfoRecord(Node, Version, Device, Models, [.. Streams.Select(s => s.Value)]), WireJson.Default.NodeInfoRecord);
}

/// <param name="Sha256">Of the weights, lower-case hexadecimal.</param>
public sealed record ModelDigest(string Name, string Sha256);

/// <summary><see cref="NodeInfo"/> as it is written.</summary>
internal sealed record NodeInfoRecord(string Node, string Version, string Device, IReadOnlyList<ModelDigest> Models, IReadOnlyList<string> Streams);

/// <summary>The payload of <c>{node}/status</c>: one word, retained.</summary>
public enum NodeState
{
    /// <summary>Connected.</summary>
    Online,

    /// <summary>Asked to stop; what is in hand still comes.</summary>
    Draining,

    /// <summary>Said goodbye.</summary>
    Stopped,

    /// <summary>Gone without a word: the will.</summary>
    Offline,
}

public static class NodeStates
{
    /// <summary>The payload, as in contract §5.</summary>
    public static string Word(this NodeState state) => state switch
    {
        NodeState.Online => "online",
        NodeState.Draining => "draining",
        NodeState.Stopped => "stopped",
        NodeState.Offline => "offline",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };
}
