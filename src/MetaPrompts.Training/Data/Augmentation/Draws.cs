namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>Draws that augmentations are made of.</summary>
internal static class Draws
{
    public static bool Chance(this Random random, double p) => random.NextDouble() < p;

    public static float Between(this Random random, float from, float to) => from + (to - from) * random.NextSingle();

    /// <summary>Standard normal (Box &amp; Muller).</summary>
    public static float Normal(this Random random) => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
