using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>A rendered picture with its exact truth.</summary>
public sealed class SceneFrame(ImageSize size, float focalLength)
{
    public ImageSize Size { get; } = size;

    /// <summary>In image widths.</summary>
    public float FocalLength { get; } = focalLength;

    /// <summary>[H, W, 3].</summary>
    public byte[] Rgb { get; } = new byte[3 * size.Pixels];

    /// <summary>[H, W], distance along the optical axis in metres; infinite in the sky.</summary>
    public float[] Depth { get; } = new float[size.Pixels];

    /// <summary>[H, W], index into <see cref="SceneClasses.All"/>.</summary>
    public byte[] ClassIds { get; } = new byte[size.Pixels];

    public IReadOnlyList<ScenePerson> People { get; set; } = [];
}

/// <param name="Joints">17, in COCO order.</param>
public sealed record ScenePerson(IReadOnlyList<SceneJoint> Joints);

/// <param name="X">Pixels of the picture; so is <paramref name="Y"/>.</param>
/// <param name="Visibility">0 outside the picture, or behind the camera, where X and Y are 0, too; 1 hidden by something, 2 visible.</param>
public readonly record struct SceneJoint(float X, float Y, int Visibility);
