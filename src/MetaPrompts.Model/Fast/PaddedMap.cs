namespace MetaPrompts.Model.Fast;

/// <summary>A map with zeros around it in memory of its own, so that a kernel never asks where the border is.</summary>
internal readonly unsafe struct PaddedMap : IDisposable
{
    private readonly Scratch _memory;
    private readonly long _padding, _height, _width, _channels;

    /// <param name="padding">Places above and left of the map.</param>
    /// <param name="high">Lines with all padding.</param>
    /// <param name="wide">Places of a line with all padding.</param>
    public PaddedMap(long height, long width, long channels, long padding, long high, long wide)
    {
        (_padding, _height, _width, _channels, Wide) = (padding, height, width, channels, wide);
        _memory = new Scratch(high * wide * channels);
        var line = Line;
        Clear(0, padding * line);
        Clear((padding + height) * line, (high - padding - height) * line);
        for (var i = padding; i < padding + height; i++)
        {
            Clear(i * line, padding * channels);
            Clear(i * line + (padding + width) * channels, (wide - padding - width) * channels);
        }
    }

    public long Wide { get; }

    public float* Data => _memory.Data;

    /// <summary>Floats from line to line.</summary>
    private long Line => Wide * _channels;

    /// <param name="x">[H, W, C].</param>
    /// <param name="norm">Between <paramref name="x"/> and here, SiLU behind it; or null.</param>
    public void Fill(float* x, FastNorm? norm)
    {
        var inner = Data + (_padding * Wide + _padding) * _channels;
        if (norm is not null)
        {
            norm.Into(x, inner, 1, _channels, _height, _width, Line, 0, Activation.SiLU);
            return;
        }
        var floats = (int)(_width * _channels);
        for (var i = 0; i < _height; i++) new ReadOnlySpan<float>(x + (long)i * floats, floats).CopyTo(new Span<float>(inner + i * Line, floats));
    }

    private void Clear(long from, long floats) => new Span<float>(Data + from, (int)floats).Clear();

    public void Dispose() => _memory.Dispose();
}
