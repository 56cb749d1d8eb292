using System.Globalization;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>A picture and what the published modules made of it.</summary>
internal sealed class GoldenCase : IDisposable
{
    private readonly SafetensorsReader _reader;
    private readonly string _task;

    public GoldenCase(string task, string file)
    {
        _task = task;
        _reader = new SafetensorsReader(GoldenFixture.PathOf(task, file));
    }

    public IEnumerable<string> Names => _reader.Entries.Select(entry => entry.Name);

    /// <returns>The caller's.</returns>
    public Tensor Expected(string name) => _reader.Read(name);

    public int ResizeScale => int.Parse(_reader.Metadata["resize_scale"], CultureInfo.InvariantCulture);

    public float MaxDepth => float.Parse(_reader.Metadata["max_depth"], CultureInfo.InvariantCulture);

    /// <summary>The picture as the task's network takes it: normalised in float32, as the golden files were, and then widened.</summary>
    /// <returns>[B, 3, H, W], the caller's.</returns>
    public Tensor Image(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var pixels = _reader.Read("image_u8").permute(0, 3, 1, 2).to(ScalarType.Float32);
        var normalised = _task == "depth" ? pixels / 255f : (pixels - 127.5f) * (1f / 127.5f);
        return normalised.to(type).contiguous().MoveToOuterDisposeScope();
    }

    public void Dispose() => _reader.Dispose();
}
