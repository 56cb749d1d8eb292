using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Photos;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// A photograph in the place of all that is behind a scene's people and things, as on a stage. What it shows is not known, only that it is nobody: <see cref="SceneClasses.Nobody"/>, at no known distance.
/// For training alone; nothing can be scored against it.
/// </summary>
/// <param name="corner">Of the part that is shown, in pictures; <paramref name="extent"/> is its size.</param>
internal sealed class Backdrop(Photo photo, Vector2 corner, Vector2 extent)
{
    private const float Share = 0.1f;

    /// <summary>Gives some scenes one; nothing happens without photographs.</summary>
    public static void Hang(Scene scene)
    {
        if (scene.Library?.Photos is not { } photos) return;
        var random = scene.Random(SceneStream.Backdrop);
        if (!random.Chance(Share)) return;
        var photo = photos.Pick(random);
        var size = random.Between(0.3f, 1);
        var extent = new Vector2(size * random.Between(0.75f, 1), size * random.Between(0.75f, 1));
        scene.Backdrop = new Backdrop(photo, new(random.Between(0, 1 - extent.X), random.Between(0, 1 - extent.Y)), extent);
    }

    /// <summary>Whether a class of thing stands before it rather than being it.</summary>
    public static bool Hides(byte classId) => classId is not (SceneClasses.Person or SceneClasses.Vehicle or SceneClasses.Thing or SceneClasses.Furniture);

    /// <param name="at">In the picture, 0…1, y upwards.</param>
    /// <param name="ray">How much of the picture's width one ray sees.</param>
    public Vector3 At(Vector2 at, float ray) => photo.At(corner + at * extent, ray * extent.X);
}
