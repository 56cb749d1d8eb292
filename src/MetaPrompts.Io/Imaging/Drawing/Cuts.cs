using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>Whether a picture goes on from the one before or shows something else: a cut of a film, the next picture of a folder, a camera turned elsewhere.</summary>
internal sealed class Cuts : IDisposable
{
    /// <summary>Mean steps of 255 between two pictures of 8×6 places. Frames that follow each other stay at a third of this, even of a driving car's camera; pictures of different places are half as far again apart.</summary>
    private const double Most = 16;

    private readonly Mat _before = new();

    /// <param name="picture">RGB; borrowed.</param>
    /// <returns>False for the first.</returns>
    public bool Between(Mat picture)
    {
        using var now = new Mat();
        Cv2.Resize(picture, now, new Size(8, 6), interpolation: InterpolationFlags.Area);
        var differs = !_before.Empty() && Cv2.Norm(now, _before, NormTypes.L1) / (now.Total() * now.Channels()) > Most;
        now.CopyTo(_before);
        return differs;
    }

    public void Dispose() => _before.Dispose();
}
