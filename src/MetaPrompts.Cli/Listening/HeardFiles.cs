using System.Globalization;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.Cli.Listening;

/// <summary>Saves what is heard: <c>DIR/node/stream/{depth,segmentation,preview}/CAPTURE_US-SEQ.png</c> and <c>records.jsonl</c>, whose <c>ref</c> are those files: a node that starts again counts from 0 again, time goes on. Names come from checked ids and numbers only.</summary>
internal sealed class HeardFiles(string folder) : IDisposable
{
    private readonly Dictionary<(string, string), StreamWriter> _records = [];

    public void Save(HeardFrame frame)
    {
        var home = Path.Combine(folder, frame.Node, frame.Stream);
        if (!_records.TryGetValue((frame.Node, frame.Stream), out var lines))
        {
            Directory.CreateDirectory(home);
            _records[(frame.Node, frame.Stream)] = lines = new StreamWriter(Path.Combine(home, "records.jsonl"), append: true) { AutoFlush = true };
        }

        var refs = new Dictionary<string, string>();
        foreach (var map in frame.Maps)
        {
            refs[map.Kind] = string.Create(CultureInfo.InvariantCulture, $"{map.Kind}/{frame.Record.CaptureUs:D16}-{frame.Record.Seq:D8}{Extension(map)}");
            var path = Path.Combine(home, refs[map.Kind]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var temporary = path + ".part";
            File.WriteAllBytes(temporary, map.Payload);
            File.Move(temporary, path, overwrite: true);
        }

        var record = frame.Record;
        if (record.Depth is { } depth) record = record with { Depth = depth with { Map = At(depth.Map, "depth") } };
        if (record.Segmentation is { } segmentation) record = record with { Segmentation = segmentation with { Map = At(segmentation.Map, "segmentation") } };
        lines.WriteLine(System.Text.Encoding.UTF8.GetString(record.ToJson()));

        MapRecord? At(MapRecord? map, string kind) => map is not null && refs.TryGetValue(kind, out var path) ? map with { Ref = path } : null;
    }

    public void Dispose()
    {
        foreach (var lines in _records.Values) lines.Dispose();
    }

    /// <summary>By what the bytes are, not by what is said of them: 3.1.1 says nothing.</summary>
    private static string Extension(HeardMap map) => map.Payload switch
    {
        [0x89, (byte)'P', ..] => ".png",
        [0x93, (byte)'N', ..] => ".npy",
        [0xFF, 0xD8, ..] => ".jpg",
        _ => ".bin",
    };
}
