using System.Runtime.CompilerServices;

namespace MetaPrompts.Model.Fast;

/// <summary>Where the rows of a product lie: places of a map, line by line. A plain matrix is one line.</summary>
/// <param name="Count">Places.</param>
/// <param name="Width">Of a line.</param>
/// <param name="FromLine">Floats from a line of the input to the next, as <paramref name="FromPlace"/> from place to place; the others of the output.</param>
internal readonly record struct Places(int Count, int Width, int FromLine, int FromPlace, int ToLine, int ToPlace);

/// <summary>
/// Products of a few rows with a panel of weights, the one loop that convolutions and matrices share: what a convolution multiplies at a place is as many pieces of a row as it has taps. Six rows and
/// two vectors of columns stay in registers. One thread; short products pay for nothing but themselves (docs/decisions/0033-own-products.md).
/// </summary>
internal static unsafe class TileKernel
{
    public const int Rows = 6;

    // Two vectors a row.
    private const int Most = 32;

    /// <param name="x">Of the first place.</param>
    /// <param name="taps">Where each tap's piece begins, from its place.</param>
    /// <param name="depth">Floats of a piece.</param>
    /// <param name="panels">[columns / 2 vectors, taps, depth, 2 vectors], the last filled with zeros.</param>
    /// <param name="bias">[columns] or null.</param>
    /// <param name="add">Null, or what is added to the output, which lies like it.</param>
    /// <param name="y">Of the first place; not what is read.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<W>(float* x, Places places, int* taps, int tapCount, int depth, float* panels, int columns, float* bias, float* add, bool relu, float* y)
        where W : struct, IWide<W>
    {
        var width = 2 * W.Count;
        // Of a tile's rows from its first: the same as long as it stays in a line.
        int* from = stackalloc int[Rows], to = stackalloc int[Rows], fromAcross = stackalloc int[Rows], toAcross = stackalloc int[Rows], apart = stackalloc int[Rows];
        float* edge = stackalloc float[Rows * Most], offset = stackalloc float[Most];
        for (var i = 0; i < Rows; i++) (from[i], to[i], apart[i]) = (i * places.FromPlace, i * places.ToPlace, i * width);
        for (var first = 0; first < columns; first += width, panels += (long)tapCount * depth * width)
        {
            var used = Math.Min(width, columns - first);
            for (var i = 0; i < width; i++) offset[i] = bias is not null && i < used ? bias[first + i] : 0;
            int line = 0, place = 0;
            for (var start = 0; start < places.Count; start += Rows)
            {
                if (start + Rows > places.Count)
                {
                    // The last rows once more: the same values to the same places.
                    var back = Math.Max(0, places.Count - Rows);
                    (line, place) = (back / places.Width, back % places.Width);
                }
                float* a = x + (long)line * places.FromLine + (long)place * places.FromPlace, b = y + (long)line * places.ToLine + (long)place * places.ToPlace + first;
                int* offsets = from, offsetsTo = to;
                if (place + Rows > places.Width)
                {
                    offsets = fromAcross;
                    offsetsTo = toAcross;
                    Across(places, line, place, fromAcross, toAcross);
                }
                for (place += Rows; place >= places.Width; line++) place -= places.Width;
                if (used == width)
                {
                    Tile<W>(a, offsets, taps, tapCount, depth, panels, offset, add is null ? 0 : add - y, relu, b, offsetsTo);
                    continue;
                }
                Tile<W>(a, offsets, taps, tapCount, depth, panels, offset, 0, false, edge, apart);
                for (var i = 0; i < Rows; i++)
                {
                    for (var c = 0; c < used; c++)
                    {
                        var at = b + offsetsTo[i] + c;
                        var value = edge[i * width + c] + (add is null ? 0 : at[add - y]);
                        *at = relu ? MathF.Max(value, 0) : value;
                    }
                }
            }
        }
    }

    /// <summary>Rows of a tile that goes on in the next line; of fewer rows than a tile has, the last one several times.</summary>
    private static void Across(Places places, int line, int place, int* from, int* to)
    {
        var (firstFrom, firstTo) = (line * places.FromLine + place * places.FromPlace, line * places.ToLine + place * places.ToPlace);
        var left = places.Count - line * places.Width - place;
        for (var i = 0; i < Rows; i++)
        {
            (from[i], to[i]) = (line * places.FromLine + place * places.FromPlace - firstFrom, line * places.ToLine + place * places.ToPlace - firstTo);
            if (--left > 0 && ++place == places.Width) (line, place) = (line + 1, 0);
        }
    }

    /// <param name="beside">From the output to what is added to it; 0: nothing is.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<W>(float* first, int* from, int* taps, int tapCount, int depth, float* panel, float* bias, long beside, bool relu, float* y, int* to)
        where W : struct, IWide<W>
    {
        W a0 = W.Load(bias), a1 = W.Load(bias + W.Count), b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1, e0 = a0, e1 = a1, f0 = a0, f1 = a1;
        for (var t = 0; t < tapCount; t++)
        {
            float* a = first + taps[t], b = a + from[1], c = a + from[2], d = a + from[3], e = a + from[4], f = a + from[5];
            for (long k = 0; k < depth; k++)
            {
                W w0 = W.Load(panel), w1 = W.Load(panel + W.Count);
                panel += 2 * W.Count;
                var x = W.All(a[k]);
                a0 = W.MultiplyAdd(x, w0, a0);
                a1 = W.MultiplyAdd(x, w1, a1);
                x = W.All(b[k]);
                b0 = W.MultiplyAdd(x, w0, b0);
                b1 = W.MultiplyAdd(x, w1, b1);
                x = W.All(c[k]);
                c0 = W.MultiplyAdd(x, w0, c0);
                c1 = W.MultiplyAdd(x, w1, c1);
                x = W.All(d[k]);
                d0 = W.MultiplyAdd(x, w0, d0);
                d1 = W.MultiplyAdd(x, w1, d1);
                x = W.All(e[k]);
                e0 = W.MultiplyAdd(x, w0, e0);
                e1 = W.MultiplyAdd(x, w1, e1);
                x = W.All(f[k]);
                f0 = W.MultiplyAdd(x, w0, f0);
                f1 = W.MultiplyAdd(x, w1, f1);
            }
        }
        Put(y + to[0], a0, a1, beside, relu);
        Put(y + to[1], b0, b1, beside, relu);
        Put(y + to[2], c0, c1, beside, relu);
        Put(y + to[3], d0, d1, beside, relu);
        Put(y + to[4], e0, e1, beside, relu);
        Put(y + to[5], f0, f1, beside, relu);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<W>(float* to, W first, W second, long beside, bool relu)
        where W : struct, IWide<W>
    {
        if (beside != 0)
        {
            first += W.Load(to + beside);
            second += W.Load(to + beside + W.Count);
        }
        if (relu)
        {
            first = W.Max(W.Zero, first);
            second = W.Max(W.Zero, second);
        }
        first.Store(to);
        second.Store(to + W.Count);
    }
}
