using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Fast;

/// <summary>How much each place of a small axis, seen through each of three taps, adds to a place of a large one: of the matrix that says it, the few numbers that are not zero.</summary>
internal sealed unsafe class AxisShares
{
    // Three taps, two neighbours each.
    private const int Most = 6;
    private readonly (int Place, int Tap, float Share)[][] _of;

    /// <param name="axis">[large, small·3], borrowed.</param>
    public AxisShares(Tensor axis)
    {
        var (large, columns, all) = ((int)axis.size(0), (int)axis.size(1), axis.data<float>().ToArray());
        _of = [.. Enumerable.Range(0, large).Select(at => Enumerable.Range(0, columns).Where(i => all[at * columns + i] != 0).Select(i => (i / 3, i % 3, all[at * columns + i])).ToArray())];
    }

    /// <param name="at">Place of the large axis.</param>
    /// <param name="x">Of the small axis.</param>
    /// <param name="place">Floats from place to place, as <paramref name="tap"/> from tap to tap.</param>
    /// <param name="y">Filled with <paramref name="count"/> floats, whole vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Mix<W>(int at, float* x, int place, int tap, float* y, int count)
        where W : struct, IWide<W>
    {
        float** from = stackalloc float*[Most];
        float* shares = stackalloc float[Most];
        var of = _of[at];
        for (var k = 0; k < Most; k++)
        {
            // Six always, so that they need no loop: what is left out is the first once more, none of it.
            var (where, which, share) = k < of.Length ? of[k] : (0, 0, 0f);
            from[k] = x + (long)where * place + which * tap;
            shares[k] = share;
        }
        float* a = from[0], b = from[1], c = from[2], d = from[3], e = from[4], f = from[5];
        W p = W.All(shares[0]), q = W.All(shares[1]), r = W.All(shares[2]), s = W.All(shares[3]), t = W.All(shares[4]), u = W.All(shares[5]);
        for (var i = 0; i < count; i += W.Count)
        {
            var left = W.MultiplyAdd(W.Load(c + i), r, W.MultiplyAdd(W.Load(b + i), q, W.Load(a + i) * p));
            W.MultiplyAdd(W.Load(f + i), u, W.MultiplyAdd(W.Load(e + i), t, W.MultiplyAdd(W.Load(d + i), s, left))).Store(y + i);
        }
    }
}
