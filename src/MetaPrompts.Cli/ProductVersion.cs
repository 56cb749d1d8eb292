using System.Reflection;

namespace MetaPrompts.Cli;

internal static class ProductVersion
{
    /// <summary>As printed by <c>--version</c>: <c>0.1.0</c>, without the commit behind it.</summary>
    public static string Current { get; } =
        (typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+')[0];
}
