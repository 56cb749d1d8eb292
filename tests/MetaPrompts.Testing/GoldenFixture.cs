namespace MetaPrompts.Testing;

/// <summary>Where golden files lie: tests/Fixtures, or the folder of the same layout that METAPROMPTS_FIXTURES names.</summary>
public static class GoldenFixture
{
    public const string Variable = "METAPROMPTS_FIXTURES";

    /// <summary>Full path of a file below the fixtures' folder.</summary>
    /// <exception cref="FileNotFoundException">It is not there: a test that cannot see its fixture fails.</exception>
    public static string PathOf(params string[] parts) =>
        Find(parts) ?? throw new FileNotFoundException($"golden file {Path.Combine(parts)} is missing below {Root}");

    /// <summary>As <see cref="PathOf"/>, or null where there is no such file.</summary>
    public static string? Find(params string[] parts)
    {
        var path = Path.Combine([Root, .. parts]);
        return File.Exists(path) ? path : null;
    }

    private static string Root { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : InRepository();

    private static string InRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MetaPrompts.Stream.sln"))) return Path.Combine(folder.FullName, "tests", "Fixtures");
        }
        throw new DirectoryNotFoundException($"tests run outside the repository: set {Variable}");
    }
}
