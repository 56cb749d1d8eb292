using MetaPrompts.Model.Fast;

namespace MetaPrompts.Model.Verification;

/// <summary>The two ways a network computes. Both must be the published one.</summary>
public enum ServingPath
{
    /// <summary>The modules as they are trained.</summary>
    Plain,

    /// <summary>With every speed-up that suits the device and the type, as <c>process</c> and <c>run</c> compute.</summary>
    Served,
}

internal static class ServingPaths
{
    public static Speedups Speedups(this ServingPath path) => path == ServingPath.Served ? Fast.Speedups.All : Fast.Speedups.None;
}
