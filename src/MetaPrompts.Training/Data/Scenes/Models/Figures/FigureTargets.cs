using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>MakeHuman's targets: how far each vertex of the body moves for a sex, an age, a build. One file of 16-bit thousandths, in the order of the targets' sorted names.</summary>
internal sealed class FigureTargets
{
    private readonly string _file;
    private readonly Dictionary<string, int> _numbers;
    private readonly int _vertices;

    /// <param name="vertices">Of the body.</param>
    /// <exception cref="SourceLostException">List or file is missing or of another size.</exception>
    public FigureTargets(string list, string file, int vertices)
    {
        (_file, _vertices) = (file, vertices);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(list));
            var names = document.RootElement.GetProperty("targets").EnumerateObject().Select(target => target.Name).Order(StringComparer.Ordinal);
            _numbers = names.Index().ToDictionary(name => name.Item, name => name.Index, StringComparer.Ordinal);
            if (new FileInfo(file).Length != (long)_numbers.Count * Bytes) throw new SourceLostException(file, $"does not hold {_numbers.Count} targets of {vertices} vertices");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new SourceLostException(list, $"cannot be read: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private int Bytes => _vertices * 3 * sizeof(short);

    /// <summary>Moves a body's vertices by some macro targets.</summary>
    /// <param name="names">For example <c>universal-male-young-averagemuscle-averageweight</c>.</param>
    public void Apply(Vector3[] body, IEnumerable<string> names)
    {
        var moves = new byte[Bytes];
        using var file = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.Read);
        foreach (var name in names)
        {
            if (!_numbers.TryGetValue($"data/targets/macrodetails/{name}.target", out var number)) throw new SourceLostException(_file, $"has no target {name}");
            file.Position = (long)number * Bytes;
            file.ReadExactly(moves);
            float Move(int i) => BinaryPrimitives.ReadInt16LittleEndian(moves.AsSpan(2 * i)) * 1e-3f;
            for (var v = 0; v < body.Length; v++) body[v] += new Vector3(Move(3 * v), Move(3 * v + 1), Move(3 * v + 2));
        }
    }
}
