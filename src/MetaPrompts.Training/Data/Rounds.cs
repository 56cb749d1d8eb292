using System.Collections.Concurrent;

namespace MetaPrompts.Training.Data;

/// <summary>Each of <paramref name="count"/> things once per round, every round in an order of its own.</summary>
internal sealed class Rounds(int seed, int count)
{
    private readonly ConcurrentDictionary<long, int[]> _orders = new();

    /// <summary>Which thing a draw gets.</summary>
    public int At(long number) => _orders.GetOrAdd(number / count, round => Seeds.Shuffled(seed, round, count))[number % count];

    /// <summary>Drops the orders of rounds before this draw's.</summary>
    public void Forget(long number)
    {
        foreach (var round in _orders.Keys.Where(round => round < number / count)) _orders.TryRemove(round, out _);
    }
}
