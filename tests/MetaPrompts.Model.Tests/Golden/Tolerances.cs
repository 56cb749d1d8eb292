namespace MetaPrompts.Model.Tests.Golden;

/// <summary>Shares of a stage's largest absolute value. Golden files hold the exact answer rounded to float32.</summary>
internal static class Tolerances
{
    public const double Float64 = 2e-6;

    /// <summary>The published modules themselves are up to 1e-4 away when run in float32.</summary>
    public const double Float32 = 3e-4;
}
