using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>SplitMix64: the same scene from the same seed on every machine and version of the framework.</summary>
public sealed class SceneRandom(ulong seed)
{
    // Mixed first: from neighbouring seeds SplitMix would give the same numbers, one place apart.
    private ulong _state = Mix(seed ^ 0x6A09E667F3BCC908UL);

    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15UL);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform between two numbers.</summary>
    public float Between(float from, float to) => from + (to - from) * ((Next() >> 40) * (1f / (1 << 24)));

    /// <summary>Whole, both ends included.</summary>
    public int Whole(int from, int to) => from + (int)(Next() % (ulong)(to - from + 1));

    public bool Chance(float probability) => Between(0, 1) < probability;

    /// <summary>Near enough to a bell of width 1.</summary>
    public float Bell() => (Between(-1, 1) + Between(-1, 1) + Between(-1, 1) + Between(-1, 1)) * 0.87f;

    public int Side() => Chance(0.5f) ? 1 : -1;

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[(int)(Next() % (ulong)choices.Length)];

    /// <summary>Any colour; pale and dark ones are commoner, as in life.</summary>
    public Vector3 Colour()
    {
        var saturation = Between(0, 1);
        return Colours.Hsv(Between(0, 1), saturation * saturation * 0.9f, Between(0.08f, 0.95f));
    }

    /// <summary>Nearly grey.</summary>
    public Vector3 Grey(float from, float to) => Between(from, to) * new Vector3(Between(0.94f, 1.06f), Between(0.96f, 1.04f), Between(0.92f, 1.06f));

    public Vector3 Green() => Colours.Hsv(Between(0.18f, 0.36f), Between(0.25f, 0.75f), Between(0.15f, 0.6f));
}

internal static class Colours
{
    /// <param name="hue">0…1, as are saturation and value.</param>
    public static Vector3 Hsv(float hue, float saturation, float value)
    {
        hue = (hue - MathF.Floor(hue)) * 6;
        var sector = (int)hue;
        var part = hue - sector;
        var (p, q, t) = (value * (1 - saturation), value * (1 - saturation * part), value * (1 - saturation * (1 - part)));
        return sector switch
        {
            0 => new(value, t, p),
            1 => new(q, value, p),
            2 => new(p, value, t),
            3 => new(p, q, value),
            4 => new(t, p, value),
            _ => new(value, p, q),
        };
    }
}
