namespace MetaPrompts.Training.Evaluation;

/// <summary>Errors of one depth map, or their mean over images. Field names follow the literature; smaller is better, except d1…d3.</summary>
/// <param name="AbsRel">Mean |p - t| / t.</param>
/// <param name="SqRel">Mean (p - t)² / t, metres.</param>
/// <param name="Rmse">Metres.</param>
/// <param name="RmseLog">Root of mean (ln p - ln t)².</param>
/// <param name="Log10">Mean |log10 p - log10 t|.</param>
/// <param name="SiLog">Root of mean(e²) - mean(e)²/2 with e = ln p - ln t.</param>
/// <param name="D1">Share of pixels with max(p/t, t/p) below 1.25; <paramref name="D2"/> and <paramref name="D3"/> below its square and cube.</param>
public readonly record struct DepthScores(double AbsRel, double SqRel, double Rmse, double RmseLog, double Log10, double SiLog, double D1, double D2, double D3)
{
    /// <summary>Name and value, in the order and spelling of reports.</summary>
    public IEnumerable<(string Name, double Value)> Named =>
    [
        ("abs_rel", AbsRel), ("sq_rel", SqRel), ("rmse", Rmse), ("rmse_log", RmseLog), ("log10", Log10), ("silog", SiLog), ("d1", D1), ("d2", D2), ("d3", D3),
    ];

    /// <summary>Mean over images, not over pixels: every picture counts the same. NaN without any.</summary>
    public static DepthScores Mean(IReadOnlyCollection<DepthScores> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        double Of(Func<DepthScores, double> score) => images.Count == 0 ? double.NaN : images.Average(score);
        return new(Of(s => s.AbsRel), Of(s => s.SqRel), Of(s => s.Rmse), Of(s => s.RmseLog), Of(s => s.Log10), Of(s => s.SiLog), Of(s => s.D1), Of(s => s.D2), Of(s => s.D3));
    }
}
