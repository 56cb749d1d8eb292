using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Model.Inference;

/// <summary>What top-down pose looks at: a box enlarged to the network's aspect and by a quarter (mmpose _box2cs), mapped without the half-pixel error (UDP).</summary>
/// <param name="CentreX">Pixels of the picture.</param>
/// <param name="Width">Pixels of the picture that the network's width covers.</param>
public readonly record struct PersonRegion(float CentreX, float CentreY, float Width, float Height)
{
    private const float Padding = 1.25f;

    /// <param name="input">Size the network sees.</param>
    public static PersonRegion Around(Box box, ImageSize input)
    {
        var aspect = (float)input.Width / input.Height;
        var (width, height) = (box.Width, box.Height);
        if (width > aspect * height) height = width / aspect;
        else width = height * aspect;
        return new(box.Left + box.Width / 2, box.Top + box.Height / 2, width * Padding, height * Padding);
    }

    /// <summary>From a place on a grid that covers the region, its first and last cell on the region's edges, to the picture.</summary>
    public (float X, float Y) ToPicture(float x, float y, int gridWidth, int gridHeight) =>
        (x * Width / (gridWidth - 1) + CentreX - Width / 2, y * Height / (gridHeight - 1) + CentreY - Height / 2);
}
