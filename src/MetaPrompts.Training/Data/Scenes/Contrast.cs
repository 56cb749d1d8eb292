using System.Numerics;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// Which pixels need more than one ray: those whose ray met another thing, or much more or less light, than a neighbour's (adaptive antialiasing, Whitted 1980). Elsewhere more rays say
/// nearly the same and took half of the time; ContrastTests holds how nearly.
/// </summary>
internal static class Contrast
{
    /// <summary>Of light, in which 1 is white.</summary>
    private const float Much = 0.06f;

    /// <param name="light">[H, W]; one ray each.</param>
    /// <param name="met">[H, W]; a number for each thing.</param>
    /// <returns>[H, W].</returns>
    public static bool[] Of(Vector3[] light, int[] met, ImageSize size)
    {
        var edges = new bool[size.Pixels];
        for (var at = 0; at < edges.Length; at++)
        {
            if ((at + 1) % size.Width != 0) Compare(at, at + 1);
            if (at + size.Width < edges.Length) Compare(at, at + size.Width);
        }
        return edges;

        void Compare(int one, int other)
        {
            var apart = Vector3.Abs(light[one] - light[other]);
            if (met[one] != met[other] || Math.Max(apart.X, Math.Max(apart.Y, apart.Z)) > Much) edges[one] = edges[other] = true;
        }
    }
}
