using System.Numerics;
using System.Runtime.CompilerServices;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Smooth pseudo-random fields in space.</summary>
internal static class Noise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(int x, int y, int z)
    {
        var h = unchecked((uint)x * 374761393u + (uint)y * 668265263u + (uint)z * 2147483647u);
        h = unchecked((h ^ (h >> 13)) * 1274126177u);
        return h ^ (h >> 16);
    }

    /// <summary>0…1 per cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Cell(int x, int y, int z) => (Hash(x, y, z) & 0xffff) * (1 / 65535f);

    /// <summary>0…1, smooth over one unit.</summary>
    public static float Value(Vector3 p)
    {
        var (fx, fy, fz) = (MathF.Floor(p.X), MathF.Floor(p.Y), MathF.Floor(p.Z));
        var (x, y, z) = ((int)fx, (int)fy, (int)fz);
        var (u, v, w) = (Ease(p.X - fx), Ease(p.Y - fy), Ease(p.Z - fz));
        var near = Mix(Mix(Cell(x, y, z), Cell(x + 1, y, z), u), Mix(Cell(x, y + 1, z), Cell(x + 1, y + 1, z), u), v);
        var far = Mix(Mix(Cell(x, y, z + 1), Cell(x + 1, y, z + 1), u), Mix(Cell(x, y + 1, z + 1), Cell(x + 1, y + 1, z + 1), u), v);
        return Mix(near, far, w);
    }

    /// <summary>0…1 with detail at three scales.</summary>
    public static float Fractal(Vector3 p) => Value(p) * 0.55f + Value(p * 2.03f) * 0.29f + Value(p * 4.1f) * 0.16f;

    private static float Ease(float t) => t * t * (3 - 2 * t);

    private static float Mix(float a, float b, float t) => a + (b - a) * t;
}
