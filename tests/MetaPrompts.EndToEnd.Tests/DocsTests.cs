using System.Diagnostics;
using System.Text.RegularExpressions;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>What the documents say exists.</summary>
public sealed partial class DocsTests
{
    private static IEnumerable<string> Pages => Repository.Files("docs", "*.md").Concat(Directory.EnumerateFiles(Repository.Root, "*.md")).Concat(Repository.Files("samples", "*.md")).Concat(Repository.Files("docker", "*.md"));

    [Fact]
    public void EveryRelativeLinkLeadsSomewhere()
    {
        var broken = new List<string>();
        foreach (var page in Pages)
        {
            foreach (Match link in Link().Matches(File.ReadAllText(page)))
            {
                var target = link.Groups[1].Value.Split('#')[0];
                if (target.Length == 0 || target.Contains("://", StringComparison.Ordinal)) continue;
                if (!Path.Exists(Path.Combine(Path.GetDirectoryName(page)!, target))) broken.Add($"{Path.GetFileName(page)}: {target}");
            }
        }
        Assert.Empty(broken);
    }

    [Fact]
    public void SourceFilesNamedInPagesExist()
    {
        var roots = new[] { "", "src", "src/MetaPrompts.Model", "src/MetaPrompts.Core", "src/MetaPrompts.Io", "src/MetaPrompts.Training", "src/MetaPrompts.Cli" };
        var missing = new List<string>();
        foreach (var page in Pages)
        {
            foreach (Match named in SourceFile().Matches(File.ReadAllText(page)))
            {
                var path = named.Groups[1].Value;
                var prefixed = path.StartsWith("MetaPrompts.", StringComparison.Ordinal) ? "src/" + path : path;
                if (!roots.Any(root => File.Exists(Path.Combine(Repository.Root, root, RoomPath(prefixed))))) missing.Add($"{Path.GetFileName(page)}: {path}");
            }
        }
        Assert.Empty(missing);
    }

    [Fact]
    public void TheReadmeIsShort() => Assert.InRange(File.ReadLines(Path.Combine(Repository.Root, "README.md")).Count(), 20, 150);

    [Fact]
    public void NothingCommittedNamesThisMachineOrARegistry()
    {
        // Spelled in parts, so that this file does not name them either.
        string[] forbidden = ["/work/" + "main", "/work/" + "wt", "/work/" + "shared", "nuget" + ".org", "registry.npm" + "js.org", "pypi" + ".org", "deb.debian" + ".org"];
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-z"]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true })!;
        var files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.NotEmpty(files);
        var text = files.Where(file => Path.GetExtension(file) is ".cs" or ".md" or ".sh" or ".props" or ".targets" or ".csproj" or ".json" or ".yaml" or ".yml" or "" && File.Exists(Path.Combine(Repository.Root, file)));
        Assert.DoesNotContain(text, file => File.ReadAllText(Path.Combine(Repository.Root, file)) is var content && forbidden.Any(word => content.Contains(word, StringComparison.Ordinal)));
    }

    /// <summary>`Training/Data/…` in prose means the project `MetaPrompts.Training`.</summary>
    private static string RoomPath(string path) => RoomName().Replace(path, "src/MetaPrompts.$1/");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([\w./]+/[\w.]+\.(?:cs|yaml|sh|targets))`")]
    private static partial Regex SourceFile();

    [GeneratedRegex("^(Core|Model|Io|Training|Cli)/")]
    private static partial Regex RoomName();
}
