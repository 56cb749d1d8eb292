using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>softmax(q kᵀ / √d) v by the way that is fastest for the type and the number of queries; every way computes the same.</summary>
internal static class FastAttention
{
    // A tile's scores stay in the cache (measured: 128, 256 and 512 rows are alike).
    private const int Rows = 256;

    // Up to here all scores at once are faster.
    private const int Few = 1024;

    /// <param name="query">[B, heads, L, d], borrowed as are the others.</param>
    /// <param name="key">[B, heads, N, d].</param>
    /// <param name="value">[B, heads, N, d].</param>
    /// <returns>[B, heads, L, d], the caller's.</returns>
    public static Tensor Run(FastPlan plan, Tensor query, Tensor key, Tensor value)
    {
        var queries = query.size(2);
        var isNew = plan.IsNew(Speedups.Attention, queries, key.size(2), key.size(3));
        // libtorch's own is good in float32 and on a GPU; on a CPU in bf16 it is no faster than in float32.
        if (!plan.Has(Speedups.Attention) || !plan.OnCpu || plan.Type != ScalarType.BFloat16)
        {
            if (isNew) plan.Note(Speedups.Attention, $"{queries} queries, {key.size(2)} keys of {key.size(3)}: libtorch's fused kernel");
            return functional.scaled_dot_product_attention(query, key, value);
        }
        if (isNew) plan.Note(Speedups.Attention, $"{queries} queries, {key.size(2)} keys of {key.size(3)}: {(queries <= Few ? "plain products" : $"tiles of {Rows} queries")}");
        using var scope = NewDisposeScope();
        var (q, k, v) = (query * (1 / Math.Sqrt(query.size(3))), key.transpose(-1, -2), value.contiguous());
        if (queries <= Few) return q.matmul(k).softmax(-1).matmul(v).MoveToOuterDisposeScope();
        var result = empty_like(q);
        for (long b = 0; b < q.size(0); b++)
        {
            for (long h = 0; h < q.size(1); h++)
            {
                using var inner = NewDisposeScope();
                var (qs, ks, vs, to) = (q[b, h], k[b % k.size(0), h], v[b % v.size(0), h], result[b, h]);
                for (long start = 0; start < queries; start += Rows)
                {
                    using var tile = NewDisposeScope();
                    var rows = Math.Min(Rows, queries - start);
                    to.narrow(0, start, rows).copy_(qs.narrow(0, start, rows).matmul(ks).softmax(-1).matmul(vs));
                }
            }
        }
        return result.MoveToOuterDisposeScope();
    }
}
