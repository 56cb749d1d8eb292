using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.People;

/// <summary>Arithmetic of boxes.</summary>
public static class Boxes
{
    public static Box Of(ImageSize picture) => new(0, 0, picture.Width, picture.Height);

    public static float Area(this Box box) => Math.Max(0, box.Width) * Math.Max(0, box.Height);

    /// <summary>Area that two boxes share.</summary>
    public static float Shared(Box a, Box b) =>
        Math.Max(0, Math.Min(a.Left + a.Width, b.Left + b.Width) - Math.Max(a.Left, b.Left)) * Math.Max(0, Math.Min(a.Top + a.Height, b.Top + b.Height) - Math.Max(a.Top, b.Top));

    /// <summary>Intersection over union, 0…1.</summary>
    public static float Overlap(Box a, Box b) => Shared(a, b) is var shared && shared > 0 ? shared / (a.Area() + b.Area() - shared) : 0;

    /// <summary>At least half of the smaller box lies in the other.</summary>
    public static bool BelongTogether(Box a, Box b) => Math.Min(a.Area(), b.Area()) is var least && least > 0 && Shared(a, b) >= 0.5f * least;

    /// <summary>What of a box lies in the picture.</summary>
    public static Box Within(this Box box, ImageSize picture)
    {
        var (left, top) = (Math.Clamp(box.Left, 0, picture.Width), Math.Clamp(box.Top, 0, picture.Height));
        return new(left, top, Math.Clamp(box.Left + box.Width, 0, picture.Width) - left, Math.Clamp(box.Top + box.Height, 0, picture.Height) - top);
    }
}
