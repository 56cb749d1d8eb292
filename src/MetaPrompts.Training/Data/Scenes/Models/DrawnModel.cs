using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Photos;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>What a piece of a model looks like.</summary>
/// <param name="Over">Wins over what lies at the same depth, as clothes do over skin.</param>
internal readonly record struct SurfaceLook(SurfacePicture Picture, SurfaceDye Dye, bool Over = false);

/// <summary>What becomes of a picture's colours.</summary>
/// <param name="Colour">Takes the place of its own, keeping light and dark; null keeps them.</param>
/// <param name="Brightness">Times its own.</param>
/// <param name="Print">A photograph on it, whose metres are texture coordinates here; null for none.</param>
internal readonly record struct SurfaceDye(Vector3? Colour, float Brightness, WornPhoto? Print = null)
{
    /// <param name="mean">Brightness of the whole picture.</param>
    /// <param name="at">Texture coordinates.</param>
    /// <param name="seen">How much of them one ray sees.</param>
    public Vector3 On(Vector3 colour, float mean, Vector2 at, float seen)
    {
        var light = (colour.X + colour.Y + colour.Z) / (3 * mean);
        var own = Colour is { } dye ? dye * light : colour;
        if (Print is not null) own = Print.Over(own, at, seen) * (Print.Grain ? 1 : light);      // folds stay folds
        return own * Brightness;
    }
}

/// <summary>A model standing in a scene, seen in place of the solids with the same owner, which cast its shadow.</summary>
internal abstract class DrawnModel
{
    /// <summary>Number of the stand-in, from 1.</summary>
    public required short Owner { get; init; }

    public required byte ClassId { get; init; }

    /// <summary>Whose body it is, from 1; 0 for things.</summary>
    public short Person { get; init; }

    /// <summary>Metres per second.</summary>
    public Vector3 Velocity { get; init; }

    /// <summary>One per piece of the mesh.</summary>
    public required SurfaceLook[] Looks { get; init; }

    /// <summary>Somewhere in it, world.</summary>
    public abstract Vector3 Middle { get; }

    /// <summary>Metres.</summary>
    public abstract float Height { get; }

    /// <summary>Its triangles with their vertices in the world.</summary>
    /// <param name="fine">As modelled; otherwise the coarser mesh.</param>
    public abstract (TriangleMesh Mesh, Vector3[] World) Place(bool fine);
}
