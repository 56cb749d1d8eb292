using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>A picture as the mean brightness of each cell of a fixed grid: small enough to keep, fine enough that a person who comes into view changes a cell. A function of the pixels alone.</summary>
internal sealed class PictureDigest
{
    private const int Columns = 48, Rows = 27, Step = 2;

    private readonly float[] _cells;

    private PictureDigest(ImageSize size, float[] cells) => (Size, _cells) = (size, cells);

    public ImageSize Size { get; }

    public static PictureDigest Of(PixelBuffer picture)
    {
        var (height, width) = (picture.Size.Height, picture.Size.Width);
        var rgb = picture.Rgb;
        var sums = new long[Rows * Columns];
        var counts = new int[Rows * Columns];
        // Every other pixel both ways: a quarter of the work, and a cell of a small picture still has some.
        for (var y = 0; y < height; y += Step)
        {
            var row = (int)((long)y * Rows / height) * Columns;
            for (var x = 0; x < width; x += Step)
            {
                var at = ((y * width) + x) * 3;
                var cell = row + (int)((long)x * Columns / width);
                sums[cell] += (77 * rgb[at]) + (150 * rgb[at + 1]) + (29 * rgb[at + 2]);
                counts[cell]++;
            }
        }

        var cells = new float[sums.Length];
        for (var i = 0; i < cells.Length; i++) cells[i] = counts[i] == 0 ? 0 : sums[i] / (counts[i] * 256f * 255f);
        return new PictureDigest(picture.Size, cells);
    }

    /// <summary>Largest change of any cell, 0…1; 1 where the sizes differ.</summary>
    public double Change(PictureDigest other)
    {
        if (other.Size != Size) return 1;
        var most = 0f;
        for (var i = 0; i < _cells.Length; i++) most = Math.Max(most, Math.Abs(_cells[i] - other._cells[i]));
        return most;
    }
}
