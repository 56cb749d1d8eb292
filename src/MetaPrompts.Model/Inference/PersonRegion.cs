using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Model.Inference;

/// <summary>What top-down pose looks at: a box enlarged to the network's aspect and by a quarter (mmpose _box2cs).</summary>
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

    /// <summary>From a place on a grid that covers the region to the picture. Unbiased, the first and last cell lie on the region's edges (mmpose get_warp_matrix); classic, a cell is a share of the region (get_affine_transform).</summary>
    public (float X, float Y) ToPicture(float x, float y, int gridWidth, int gridHeight, PoseDecoding decoding = PoseDecoding.DarkUdp)
    {
        var (across, down) = decoding == PoseDecoding.DarkUdp ? (gridWidth - 1, gridHeight - 1) : (gridWidth, gridHeight);
        return (x * Width / across + CentreX - Width / 2, y * Height / down + CentreY - Height / 2);
    }
}
