using System.Text;
using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Wire;

/// <summary>The topic layout of contract §5. Ids are checked once, here, so that no topic can hold a wildcard or climb out of its level.</summary>
public sealed class TopicNames
{
    private readonly string _root;

    /// <exception cref="Errors.ConfigurationException">Prefix or node is not an id.</exception>
    public TopicNames(string node, string prefix = "metaprompts")
    {
        OptionsCheck.Id("node", node);
        OptionsCheck.Id("prefix", prefix);
        Node = node;
        _root = $"{prefix}/v1/{node}";
    }

    public string Node { get; }

    public string Status => $"{_root}/status";

    public string Info => $"{_root}/info";

    public string StreamStatus(StreamId stream) => Of(stream, "status");

    public string StreamInfo(StreamId stream) => Of(stream, "info");

    public string Depth(StreamId stream) => Of(stream, "depth");

    public string Segmentation(StreamId stream) => Of(stream, "segmentation");

    public string Preview(StreamId stream) => Of(stream, "preview");

    public string Frame(StreamId stream) => Of(stream, "frame");

    /// <summary>sensor_msgs/Image of profile <c>ros2</c>.</summary>
    public string Ros2Depth(StreamId stream) => Of(stream, "ros2/depth");

    public string Ros2Segmentation(StreamId stream) => Of(stream, "ros2/segmentation");

    /// <summary>What a node listens to: every verb.</summary>
    public string Commands => $"{_root}/command/+";

    /// <summary>The node's own branch: nobody's answer may be sent into it.</summary>
    public bool IsOwn(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return topic == _root || topic.StartsWith(_root + "/", StringComparison.Ordinal);
    }

    /// <summary>What a listener subscribes to: one leaf of one stream, or of all where a name is null.</summary>
    public static string Filter(string prefix, string? node, string? stream, string leaf) => $"{prefix}/v1/{node ?? "+"}/streams/{stream ?? "+"}/{leaf}";

    /// <summary>Takes apart <c>…/v1/{node}/streams/{stream}/{leaf}</c>; false for any other topic.</summary>
    public static bool TryParse(string topic, out string node, out StreamId stream, out string leaf)
    {
        ArgumentNullException.ThrowIfNull(topic);
        var levels = topic.Split('/', 6);
        if (levels is [_, "v1", var n, "streams", var s, var l])
        {
            (node, stream, leaf) = (n, new StreamId(s), l);
            return true;
        }

        (node, stream, leaf) = ("", default, "");
        return false;
    }

    public string Command(string verb) => $"{_root}/command/{OptionsCheck.Id("verb", verb)}";

    /// <summary>The nearest id to what a person wrote (a file's name): lower case, anything else becomes one hyphen, at most 48 characters; <c>stream</c> where nothing is left.</summary>
    public static StreamId IdOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var id = new StringBuilder();
        foreach (var c in text.ToLowerInvariant())
        {
            if (c is >= 'a' and <= 'z' or >= '0' and <= '9' or '_') id.Append(c);
            else if (id.Length > 0 && id[^1] != '-') id.Append('-');
            if (id.Length == 48) break;
        }

        var trimmed = id.ToString().Trim('-');
        return new StreamId(trimmed.Length > 0 ? trimmed : "stream");
    }

    private string Of(StreamId stream, string leaf) => $"{_root}/streams/{OptionsCheck.Id("stream", stream.Value)}/{leaf}";
}
