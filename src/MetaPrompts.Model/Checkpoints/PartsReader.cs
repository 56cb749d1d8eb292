using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>The parts of a diffusers folder as one file, each tensor's name led by its part's: <c>unet.conv_in.weight</c>.</summary>
public sealed class PartsReader : ICheckpointReader
{
    private readonly string _name;
    private readonly IReadOnlyList<(string Part, ICheckpointReader Reader)> _parts;

    /// <param name="name">For messages.</param>
    /// <param name="parts">Taken over.</param>
    public PartsReader(string name, IReadOnlyList<(string Part, ICheckpointReader Reader)> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_name, _parts) = (name, parts);
        Entries = [.. parts.SelectMany(part => part.Reader.Entries.Select(entry => entry with { Name = $"{part.Part}.{entry.Name}" }))];
        LeftOut = [.. parts.SelectMany(part => part.Reader.LeftOut.Select(left => $"{part.Part}.{left}"))];
    }

    /// <inheritdoc/>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut { get; }

    /// <inheritdoc/>
    public void ReadInto(string name, Tensor destination)
    {
        var (reader, own) = Find(name);
        reader.ReadInto(own, destination);
    }

    /// <inheritdoc/>
    public Tensor Read(string name)
    {
        var (reader, own) = Find(name);
        return reader.Read(own);
    }

    private (ICheckpointReader Reader, string Name) Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var (part, reader) in _parts)
        {
            if (name.StartsWith(part + ".", StringComparison.Ordinal)) return (reader, name[(part.Length + 1)..]);
        }
        throw new CheckpointFormatException(_name, $"has no tensor {Limits.Short(name)}");
    }

    public void Dispose()
    {
        foreach (var (_, reader) in _parts) reader.Dispose();
    }
}
