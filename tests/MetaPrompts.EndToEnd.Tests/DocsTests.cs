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
                if (link.Groups[1].Value.Contains("://", StringComparison.Ordinal)) continue;
                var parts = link.Groups[1].Value.Split('#', 2);
                var target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
                if (!Path.Exists(target) || (parts.Length == 2 && !Anchors(File.ReadAllText(target)).Contains(parts[1]))) broken.Add($"{Path.GetFileName(page)}: {link.Groups[1].Value}");
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
    public void CommandsInPagesExist()
    {
        var verbs = Repository.Files("src/MetaPrompts.Cli/Verbs", "*.cs").SelectMany(path => NewCommand().Matches(File.ReadAllText(path))).Select(match => match.Groups[1].Value).ToHashSet();
        var options = Repository.Files("src/MetaPrompts.Cli", "*.cs").SelectMany(path => OptionName().Matches(File.ReadAllText(path))).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Contains("process", verbs);
        var wrong = new List<string>();
        foreach (var page in Pages)
        {
            foreach (var line in File.ReadLines(page).Where(IsCommand)) wrong.AddRange(Problems(line.Split(" #")[0].Trim(), verbs, options).Select(problem => $"{Path.GetFileName(page)}: {problem}"));
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("./metaprompts process samples/pedestrians.mp4 --out out", 0)]
    [InlineData("./metaprompts proces samples/pedestrian.mp4 --output out", 3)]
    [InlineData("samples/make-sample.sh", 1)]
    public void TheCheckerOfCommandsSeesWhatIsWrong(string command, int problems) =>
        Assert.Equal(problems, Problems(command, ["process"], ["--out"]).Count());

    [Fact]
    public void SamplesThatArePraisedExist()
    {
        var named = TableFile().Matches(File.ReadAllText(Path.Combine(Repository.Root, "samples", "README.md"))).Select(match => match.Groups[1].Value).ToList();
        Assert.Contains("pedestrians.mp4", named);
        Assert.All(named, file => Assert.True(Path.Exists(Path.Combine(Repository.Root, "samples", file)), file));
    }

    [Fact]
    public void TheReadmeIsShort() => Assert.InRange(File.ReadLines(Path.Combine(Repository.Root, "README.md")).Count(), 20, 150);

    [Fact]
    public void NothingCommittedNamesThisMachineOrARegistry()
    {
        // Spelled in parts, so that this file does not name them either.
        string[] forbidden = ["/work/" + "main", "/work/" + "wt", "/work/" + "shared", "/work/" + "scratch", "/home/" + "user", "/root" + "/", "nuget" + ".org", "registry.npm" + "js.org", "pypi" + ".org", "deb.debian" + ".org"];
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-z"]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true })!;
        var files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.NotEmpty(files);
        var text = files.Where(file => Path.GetExtension(file) is ".cs" or ".md" or ".sh" or ".props" or ".targets" or ".csproj" or ".json" or ".yaml" or ".yml" or "" && File.Exists(Path.Combine(Repository.Root, file)));
        Assert.DoesNotContain(text, file => File.ReadAllText(Path.Combine(Repository.Root, file)) is var content && forbidden.Any(word => content.Contains(word, StringComparison.Ordinal)));
    }

    /// <summary>A code block's line (indented by four) that starts something of this repository.</summary>
    private static bool IsCommand(string line) => line.StartsWith("    ", StringComparison.Ordinal) && line.TrimStart() is var text && (text.StartsWith("./", StringComparison.Ordinal) || text.StartsWith(".ci/", StringComparison.Ordinal) || text.StartsWith("samples/", StringComparison.Ordinal));

    private static IEnumerable<string> Problems(string command, HashSet<string> verbs, HashSet<string> options)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var program = words[0] is "./metaprompts";
        foreach (var word in words)
        {
            if (OwnFile().IsMatch(word) && !Path.Exists(Path.Combine(Repository.Root, word))) yield return $"{word} does not exist";
            if (program && word.StartsWith("--", StringComparison.Ordinal) && word is not "--help" && !options.Contains(word)) yield return $"{word} is no option";
        }
        if (program && words.Length > 1 && !words[1].StartsWith('-') && !verbs.Contains(words[1])) yield return $"{words[1]} is no command";
    }

    /// <summary>Headings as the sites that show Markdown name them.</summary>
    private static HashSet<string> Anchors(string page) => [.. Heading().Matches(page).Select(match => NoAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    /// <summary>`Training/Data/…` in prose means the project `MetaPrompts.Training`.</summary>
    private static string RoomPath(string path) => RoomName().Replace(path, "src/MetaPrompts.$1/");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([\w./]+/[\w.]+\.(?:cs|yaml|sh|targets))`")]
    private static partial Regex SourceFile();

    [GeneratedRegex(@"new(?: Command)?\(""(\w+)"", """)]
    private static partial Regex NewCommand();

    [GeneratedRegex(@"""(--[a-z][a-z-]*)""")]
    private static partial Regex OptionName();

    [GeneratedRegex(@"^(\./|\.ci/|samples/|configs/|docker/|docs/|tests/)[\w./-]+$")]
    private static partial Regex OwnFile();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    /// <summary>File names in the first column of a table.</summary>
    [GeneratedRegex(@"(?<=^\|[^|]*)`([^`]+)`(?=[^|]*\|)", RegexOptions.Multiline)]
    private static partial Regex TableFile();

    [GeneratedRegex("^(Core|Model|Io|Training|Cli)/")]
    private static partial Regex RoomName();
}
