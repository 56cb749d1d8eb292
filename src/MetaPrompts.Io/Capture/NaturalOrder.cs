namespace MetaPrompts.Io.Capture;

/// <summary>Names as a person sorts them: <c>frame2.png</c> before <c>frame10.png</c>.</summary>
public sealed class NaturalOrder : IComparer<string>
{
    public static NaturalOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null) return string.CompareOrdinal(x, y);
        int i = 0, j = 0;
        while (i < x.Length && j < y.Length)
        {
            if (char.IsAsciiDigit(x[i]) && char.IsAsciiDigit(y[j]))
            {
                var a = Digits(x, ref i);
                var b = Digits(y, ref j);
                var byValue = a.Length != b.Length ? a.Length - b.Length : a.SequenceCompareTo(b);
                if (byValue != 0) return byValue;
                continue;
            }

            var byLetter = char.ToLowerInvariant(x[i++]).CompareTo(char.ToLowerInvariant(y[j++]));
            if (byLetter != 0) return byLetter;
        }

        var byLength = (x.Length - i) - (y.Length - j);
        return byLength != 0 ? byLength : string.CompareOrdinal(x, y);
    }

    /// <summary>A run of digits without its leading zeros, so that the longer one is the larger number.</summary>
    private static ReadOnlySpan<char> Digits(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return text.AsSpan(start, at - start).TrimStart('0');
    }
}
