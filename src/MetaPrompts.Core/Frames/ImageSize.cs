namespace MetaPrompts.Core.Frames;

/// <summary>Pixels, height first as in tensor shapes.</summary>
public readonly record struct ImageSize(int Height, int Width)
{
    /// <summary>Height × width.</summary>
    public int Pixels => checked(Height * Width);

    public override string ToString() => $"{Width}x{Height}";
}
