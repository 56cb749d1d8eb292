namespace MetaPrompts.Cli.Options;

/// <summary>Which known word a person may have meant.</summary>
internal static class Likeness
{
    /// <returns>The nearest word, if it is near: two letters away or a third of them; of equally near ones the one that begins like it. Null where none is.</returns>
    public static string? Nearest(string given, IEnumerable<string> known)
    {
        if (given.Length > 100) return null;
        var (word, distance, _) = known.Select(k => (Word: k, Distance: Distance(given, k), Unlike: -given.Zip(k).TakeWhile(pair => pair.First == pair.Second).Count()))
            .DefaultIfEmpty((Word: "", Distance: int.MaxValue, Unlike: 0)).MinBy(k => (k.Distance, k.Unlike));
        return distance <= Math.Max(2, given.Length / 3) ? word : null;
    }

    /// <summary>Edit distance with neighbouring letters swapped counted once.</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
