using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Photos;

/// <summary>How a surface wears a photograph.</summary>
/// <param name="Width">Metres the photograph covers.</param>
/// <param name="Offset">In pictures, so that no two surfaces match.</param>
/// <param name="Grain">The surface keeps its colour and takes only light and dark from the photograph; otherwise it looks like the photograph.</param>
/// <param name="Strength">Of the grain, 0…1.</param>
internal sealed record WornPhoto(Photo Photo, float Width, Vector2 Offset, bool Grain, float Strength = 1)
{
    private const float MostLight = 2.5f;

    /// <param name="own">The surface's colour without it.</param>
    /// <param name="at">Metres along the surface.</param>
    /// <param name="seen">Metres one ray sees of it.</param>
    /// <returns>Albedo, about 0…1.</returns>
    public Vector3 Over(Vector3 own, Vector2 at, float seen)
    {
        var shown = Photo.At(at / Width + Offset, seen / Width);
        return Grain ? own * Vector3.Lerp(Vector3.One, Vector3.Min(shown / Vector3.Max(Photo.Mean, new Vector3(0.05f)), new Vector3(MostLight)), Strength) : shown;
    }
}
