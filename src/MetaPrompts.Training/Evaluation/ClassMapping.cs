using MetaPrompts.Core.Perception;

namespace MetaPrompts.Training.Evaluation;

/// <summary>
/// What a model would have to say for each class of a data set. Where both have one list it says the same; else a table of <c>Data/Sets/Mappings</c> leads from one to the other:
/// lines <c>model's class = data set's classes</c>, comma-separated. <c>(ignored)</c> collects what no class of the model describes: such pixels do not count.
/// <c>(elsewhere)</c> collects what must be none of the classes that count: a prediction of one of those there is wrong.
/// </summary>
internal sealed class ClassMapping
{
    public const byte Ignored = 255, Elsewhere = 254;
    private readonly byte[] _toModel = new byte[256];

    private ClassMapping(IReadOnlyList<byte> toModel, int modelClasses, bool isIdentity)
    {
        Array.Fill(_toModel, Ignored);
        for (var i = 0; i < toModel.Count; i++) _toModel[i] = toModel[i];
        _toModel[Ignored] = Ignored;
        ModelClasses = modelClasses;
        IsIdentity = isIdentity;
        HasElsewhere = !isIdentity && toModel.Contains(Elsewhere);
        Counted = isIdentity ? [.. Enumerable.Range(0, modelClasses)] : [.. toModel.Where(id => id < Elsewhere).Distinct().Order().Select(id => (int)id)];
    }

    public int ModelClasses { get; }

    /// <summary>Both have the same list.</summary>
    public bool IsIdentity { get; }

    /// <summary>Some labels must be none of the classes that count.</summary>
    public bool HasElsewhere { get; }

    /// <summary>The model's classes that the data set has: means are over these.</summary>
    public IReadOnlyList<int> Counted { get; }

    /// <param name="labels">[H, W] ids of the data set.</param>
    /// <returns>[H, W] ids of the model, <see cref="Elsewhere"/>, or <see cref="Ignored"/>.</returns>
    public byte[] Apply(byte[] labels) => IsIdentity ? labels : Array.ConvertAll(labels, label => _toModel[label]);

    /// <returns>Null where the lists differ and no table names the model's classes.</returns>
    public static ClassMapping? Find(string dataset, IReadOnlyList<ClassInfo> from, IReadOnlyList<ClassInfo> to)
    {
        if (from.Select(c => c.Name).SequenceEqual(to.Select(c => c.Name))) return new ClassMapping([.. Enumerable.Range(0, from.Count).Select(id => (byte)id)], to.Count, true);
        using var resource = typeof(ClassMapping).Assembly.GetManifestResourceStream($"{dataset}.mapping.txt");
        if (resource is null) return null;
        using var lines = new StreamReader(resource);
        return Read(lines, from, to);
    }

    /// <exception cref="InvalidDataException">A class of the data set is missing, named twice, or unknown.</exception>
    internal static ClassMapping? Read(TextReader lines, IReadOnlyList<ClassInfo> from, IReadOnlyList<ClassInfo> to)
    {
        var found = new byte?[from.Count];
        while (lines.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var sides = line.Split('=', 2, StringSplitOptions.TrimEntries);
            if (sides.Length != 2) throw new InvalidDataException($"'{line}' is no line of a class table");
            if (Target(sides[0], to) is not { } target) return null;
            foreach (var name in sides[1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                // A name may stand for two classes of ADE20K (screen); both go the same way.
                var ids = Enumerable.Range(0, from.Count).Where(id => from[id].Name == name).ToList();
                if (ids.Count == 0 || found[ids[0]] is not null) throw new InvalidDataException($"'{name}' is no class of the data set, or named twice");
                foreach (var id in ids) found[id] = target;
            }
        }
        if (Array.FindIndex(found, id => id is null) is >= 0 and var missing) throw new InvalidDataException($"'{from[missing].Name}' is in no line of the class table");
        return new ClassMapping([.. found.Select(id => id!.Value)], to.Count, false);
    }

    private static byte? Target(string name, IReadOnlyList<ClassInfo> classes)
    {
        if (name == "(ignored)") return Ignored;
        if (name == "(elsewhere)") return Elsewhere;
        for (var id = 0; id < classes.Count; id++)
            if (classes[id].Name == name) return (byte)id;
        return null;
    }
}
