namespace MetaPrompts.Training.Data;

/// <summary>Random numbers that follow from seed and place alone.</summary>
internal static class Seeds
{
    /// <summary>Spreads two numbers over all seeds; the framework's own HashCode differs from run to run.</summary>
    public static int Of(int seed, long number)
    {
        var z = unchecked((ulong)number * 0x9E3779B97F4A7C15UL + (ulong)(uint)seed * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return (int)(z >> 33);
    }

    /// <summary>0 … <paramref name="count"/> − 1 in the order of one round.</summary>
    public static int[] Shuffled(int seed, long round, int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        new Random(Of(seed + 7919, round)).Shuffle(order);
        return order;
    }
}
