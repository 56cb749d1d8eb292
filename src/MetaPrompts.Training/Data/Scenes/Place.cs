using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Where a thing stands and which way it faces: its own axes in the world.</summary>
/// <param name="foot">On the ground.</param>
/// <param name="yaw">Radians about the vertical.</param>
internal readonly struct Place(Vector3 foot, float yaw)
{
    private readonly (float Sin, float Cos) _turn = MathF.SinCos(yaw);

    public float Yaw { get; } = yaw;

    /// <summary>Unit vectors of its axes.</summary>
    public Vector3 Ahead => new(_turn.Sin, 0, _turn.Cos);

    public Vector3 Side => new(_turn.Cos, 0, -_turn.Sin);

    /// <param name="x">To its side; <paramref name="z"/> ahead.</param>
    public Vector3 At(float x, float y, float z) => foot + new Vector3(x * _turn.Cos + z * _turn.Sin, y, -x * _turn.Sin + z * _turn.Cos);
}
