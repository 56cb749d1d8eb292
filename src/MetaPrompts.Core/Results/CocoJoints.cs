namespace MetaPrompts.Core.Results;

/// <summary>The 17 joints of COCO, as far as arithmetic depends on them.</summary>
public static class CocoJoints
{
    public const int Count = 17;

    /// <summary>How exactly people place each joint (pycocotools, COCOeval.Params.kpt_oks_sigmas).</summary>
    public static IReadOnlyList<double> Sigmas { get; } = [.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089];
}
