using MetaPrompts.Core.Errors;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace MetaPrompts.Cli.Yaml;

/// <summary>
/// Reads one YAML document into a tree. Bounded whatever the document says: bytes, depth and nodes, those behind aliases counted each time they are named, so that no few lines can grow into millions.
/// A key that stands twice is a mistake; the first one is kept so that the rest can be checked, too.
/// </summary>
internal sealed class YamlTreeReader
{
    private const int MostBytes = 1 << 20, MostNodes = 50_000, Deepest = 32, LongestText = 1 << 16;

    private readonly string _source;
    private readonly Parser _events;
    private readonly Action<YamlPlace, string> _mistake;
    private readonly Dictionary<AnchorName, (YamlNodeAt Node, int Size)> _anchors = [];
    private int _nodes;

    private YamlTreeReader(string source, TextReader text, Action<YamlPlace, string> mistake)
    {
        (_source, _mistake) = (source, mistake);
        _events = new Parser(new Scanner(text, skipComments: true));
    }

    /// <param name="mistake">Told of each key that stands twice.</param>
    /// <returns>The document's root; null where it is empty.</returns>
    /// <exception cref="ConfigurationException">The file cannot be read, is no YAML, or is beyond all measure.</exception>
    public static YamlNodeAt? ReadFile(string path, Action<YamlPlace, string> mistake)
    {
        string text;
        try
        {
            if (Directory.Exists(path)) throw new ConfigurationException(path, "is a folder; give a YAML file");
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (file.CanSeek && file.Length > MostBytes) throw new ConfigurationException(path, $"is larger than {MostBytes >> 20} MiB; that is no configuration");
            using var reader = new StreamReader(file, new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true));
            text = ReadBounded(path, reader);
        }
        catch (System.Text.DecoderFallbackException)
        {
            throw new ConfigurationException(path, "is no text in UTF-8; check the file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(path, e is FileNotFoundException or DirectoryNotFoundException ? "does not exist; check the path" : $"cannot be read: {e.Message.TrimEnd('.')}");
        }

        return Read(path, text, mistake);
    }

    /// <summary>The same for text; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="ConfigurationException">It is no YAML, or beyond all measure.</exception>
    public static YamlNodeAt? Read(string source, string text, Action<YamlPlace, string> mistake)
    {
        using var reader = new StringReader(text);
        var tree = new YamlTreeReader(source, reader, mistake);
        try
        {
            return tree.Document();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // Some broken text trips the parser itself (seen: a plain value cut off within a flow mapping).
            var at = tree._events.Current?.End ?? default;
            throw new ConfigurationException(tree.Place(at).ToString(), "is no YAML from here on; check brackets, quotes and indentation");
        }
        catch (YamlException e)
        {
            throw new ConfigurationException(new YamlPlace(source, e.Start.Line, e.Start.Column).ToString(), $"is no YAML: {OneLine(e.InnerException?.Message ?? e.Message)}");
        }
    }

    private static string ReadBounded(string path, StreamReader reader)
    {
        var buffer = new char[MostBytes + 1];
        var count = reader.ReadBlock(buffer);
        return count <= MostBytes ? new string(buffer, 0, count) : throw new ConfigurationException(path, $"is larger than {MostBytes >> 20} MiB; that is no configuration");
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").TrimEnd('.') is var line && line.Length <= 200 ? line : line[..200] + "…";

    private YamlNodeAt? Document()
    {
        _events.Consume<StreamStart>();
        if (_events.Accept<StreamEnd>(out _)) return null;
        _events.Consume<DocumentStart>();
        var root = Node(0);
        _events.Consume<DocumentEnd>();
        if (!_events.Accept<StreamEnd>(out _)) throw Refused(_events.Current!.Start, "holds several documents; write one");
        return root;
    }

    private YamlNodeAt Node(int depth)
    {
        var at = _events.Current?.Start ?? default;
        if (depth > Deepest) throw Refused(at, $"is nested deeper than {Deepest} levels");
        Count(1, at);
        if (_events.TryConsume<AnchorAlias>(out var alias))
        {
            if (!_anchors.TryGetValue(alias.Value, out var known)) throw Refused(alias.Start, $"*{alias.Value} names nothing that stands before it");
            Count(known.Size, alias.Start);
            return known.Node;
        }

        var before = _nodes;
        var anchor = (_events.Current as NodeEvent)?.Anchor ?? AnchorName.Empty;
        YamlNodeAt node = _events.TryConsume<Scalar>(out var scalar) ? Value(scalar) : _events.TryConsume<SequenceStart>(out var list) ? List(list, depth) : Map(_events.Consume<MappingStart>(), depth);
        if (!anchor.IsEmpty) _anchors[anchor] = (node, _nodes - before);
        return node;
    }

    private YamlScalarAt Value(Scalar scalar)
    {
        if (scalar.Value.Length > LongestText) throw Refused(scalar.Start, $"is longer than {LongestText} letters");
        return new YamlScalarAt(Place(scalar.Start), scalar.Value, scalar.Style is ScalarStyle.Plain or ScalarStyle.Any);
    }

    private YamlListAt List(SequenceStart start, int depth)
    {
        var items = new List<YamlNodeAt>();
        while (!_events.TryConsume<SequenceEnd>(out _)) items.Add(Node(depth + 1));
        return new YamlListAt(Place(start.Start), items);
    }

    private YamlMapAt Map(MappingStart start, int depth)
    {
        var map = new YamlMapAt(Place(start.Start));
        while (!_events.TryConsume<MappingEnd>(out _))
        {
            if (!_events.TryConsume<Scalar>(out var key)) throw Refused(_events.Current!.Start, "a key must be a word, not a list or a mapping");
            var place = Place(key.Start);
            var value = Node(depth + 1);
            if (!map.TryAdd(new YamlEntry(key.Value, place, value))) _mistake(place, $"{Shown.Text(key.Value)} stands here a second time; the first is on line {map[key.Value]!.Place.Line}");
        }

        return map;
    }

    private void Count(int nodes, Mark at)
    {
        _nodes += nodes;
        if (_nodes > MostNodes) throw Refused(at, $"has more than {MostNodes} values, those behind aliases counted each time");
    }

    private YamlPlace Place(Mark mark) => new(_source, mark.Line, mark.Column);

    private ConfigurationException Refused(Mark at, string why) => new(Place(at).ToString(), why);
}

/// <summary>Foreign text in a message: short, without control characters.</summary>
internal static class Shown
{
    private const int Most = 60;

    public static string Text(string text)
    {
        var line = string.Concat(text.Take(Most).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c));
        return text.Length > Most ? $"'{line}…'" : $"'{line}'";
    }
}
