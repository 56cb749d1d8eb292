using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Tests.Imaging;

public sealed class CompressionTests
{
    private static readonly ImageSize _size = new(40, 56);

    [Fact]
    public void A_fine_picture_stays_nearly_itself_and_a_coarse_one_less()
    {
        var (fine, coarse) = (Slopes(), Slopes());
        Compression.Jpeg(fine, _size, 95);
        Compression.Jpeg(coarse, _size, 5);
        Assert.InRange(Difference(fine), 0, 3);
        Assert.InRange(Difference(coarse), Difference(fine) * 1.5, 40);
    }

    [Fact]
    public void Colours_keep_their_places()
    {
        var rgb = new byte[_size.Pixels * 3];
        for (var i = 0; i < _size.Pixels; i++) (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (200, 60, 20);
        Compression.Jpeg(rgb, _size, 90);
        Assert.InRange(rgb[0], 190, 210);
        Assert.InRange(rgb[1], 50, 70);
        Assert.InRange(rgb[2], 10, 30);
    }

    [Fact]
    public void A_picture_of_another_size_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => Compression.Jpeg(new byte[10], _size, 50));

    private static byte[] Slopes()
    {
        var rgb = new byte[_size.Pixels * 3];
        for (var i = 0; i < _size.Pixels; i++) (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = ((byte)(i % _size.Width * 4), (byte)(i / _size.Width * 6), 128);
        return rgb;
    }

    private static double Difference(byte[] rgb) => rgb.Zip(Slopes(), (a, b) => Math.Abs(a - b)).Average();
}
