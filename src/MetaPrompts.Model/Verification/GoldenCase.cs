using System.Globalization;
using MetaPrompts.Model.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Verification;

/// <summary>A picture and what the published modules made of it: one file of a golden folder.</summary>
public sealed class GoldenCase : IDisposable
{
    private readonly SafetensorsReader _reader;
    private readonly bool _unit;

    /// <param name="path">A .safetensors of a task's folder: <c>case0</c>, <c>protocol1</c>, <c>slide0</c>.</param>
    /// <exception cref="CheckpointFormatException">Damaged, or without a picture.</exception>
    public GoldenCase(string path)
    {
        _reader = new SafetensorsReader(path);
        Name = Path.GetFileNameWithoutExtension(path);
        Names = _reader.Entries.Select(entry => entry.Name).ToHashSet();
        if (_reader.Entries.FirstOrDefault(entry => entry.Name == "image_u8") is not { Shape: [_, _, _, 3] })
        {
            _reader.Dispose();
            throw new CheckpointFormatException(Name, "has no picture image_u8 of [batch, height, width, 3]");
        }
        _unit = _reader.Metadata.GetValueOrDefault("task") == "depth";
    }

    public string Name { get; }

    /// <summary>Entries of the file: the picture and the stages.</summary>
    public IReadOnlySet<string> Names { get; }

    public int ResizeScale => Number("resize_scale", 1);

    public float? MaxDepth => !_reader.Metadata.TryGetValue("max_depth", out var text) ? null
        : float.TryParse(text, CultureInfo.InvariantCulture, out var metres) ? metres : throw new CheckpointFormatException(Name, "max_depth is no number");

    /// <summary>Windows of the depth protocol.</summary>
    public int Windows => Number("shift_size", 1);

    /// <summary>Side of the segmentation protocol's window, height and width.</summary>
    public (int Height, int Width) Crop => Pair("crop");

    public (int Height, int Width) Stride => Pair("stride");

    /// <returns>The caller's.</returns>
    public Tensor Expected(string name) => _reader.Read(name);

    /// <summary>The picture as the task's network takes it: normalised in float32, as the golden files were, and then widened.</summary>
    /// <returns>[B, 3, H, W], the caller's.</returns>
    public Tensor Image(ScalarType type, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var pixels = _reader.Read("image_u8").permute(0, 3, 1, 2).to(ScalarType.Float32);
        var normalised = _unit ? pixels / 255f : (pixels - 127.5f) * (1f / 127.5f);
        return normalised.to(type).to(device ?? CPU).contiguous().MoveToOuterDisposeScope();
    }

    private int Number(string name, int otherwise) => !_reader.Metadata.TryGetValue(name, out var text) ? otherwise : Whole(name, text);

    private int Whole(string name, string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : throw new CheckpointFormatException(Name, $"{name} is no number");

    /// <summary><c>(80, 80)</c>.</summary>
    private (int, int) Pair(string name) =>
        _reader.Metadata.TryGetValue(name, out var text) && text.Trim('(', ')', ' ').Split(',', StringSplitOptions.TrimEntries) is [var first, var second]
            ? (Whole(name, first), Whole(name, second))
            : throw new CheckpointFormatException(Name, $"{name} is missing or not a pair");

    public void Dispose() => _reader.Dispose();
}
