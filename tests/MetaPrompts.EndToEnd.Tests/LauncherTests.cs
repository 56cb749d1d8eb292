using System.Diagnostics;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>
/// The launcher beside a repository of two files and a stand-in for dotnet that notes what it is asked: a real build would take minutes and prove no more.
/// </summary>
public sealed class LauncherTests : IDisposable
{
    private static readonly string[] Tools =
        ["bash", "sh", "env", "cat", "cksum", "cut", "dirname", "find", "flock", "grep", "head", "id", "ldconfig", "ls", "mkdir", "mv", "readlink", "rm", "sed", "sleep", "sort", "tail", "touch", "tr", "true", "wc"];

    private const string Dotnet = """
        #!/bin/bash
        case "$1" in
            --list-sdks) echo "10.0.100 [/sdk]" ;;
            build) echo build >> "$FAKE_LOG"; sleep 0.5; echo "noise of the build"
                   [ -z "$FAKE_FAILS" ] || exit 1
                   mkdir -p "$FAKE_ROOT/src/MetaPrompts.Cli/bin/Release/net10.0"; echo built > "$FAKE_ROOT/src/MetaPrompts.Cli/bin/Release/net10.0/metaprompts.dll" ;;
            exec) shift 2; echo "wait=$OMP_WAIT_POLICY in=$PWD"; printf '<%s>' "$@"; exit 7 ;;
        esac
        """;

    private readonly Workspace _work = new();

    public LauncherTests()
    {
        foreach (var folder in new[] { "repo/src/MetaPrompts.Cli", "repo/build", "tools", "elsewhere" }) Directory.CreateDirectory(_work[folder]);
        File.Copy(Path.Combine(Cli.RepositoryRoot, "metaprompts"), _work["repo/metaprompts"]);
        // Without the places where this machine may have a real SDK.
        var setup = File.ReadAllText(Path.Combine(Cli.RepositoryRoot, "build", "setup.sh"));
        const string Installed = " /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet; do";
        Assert.Contains(Installed, setup, StringComparison.Ordinal);
        File.WriteAllText(_work["repo/build/setup.sh"], setup.Replace(Installed, "; do", StringComparison.Ordinal));
        foreach (var file in new[] { "src/MetaPrompts.Cli/Program.cs", "src/MetaPrompts.Cli/Other.cs", "global.json", "Directory.Build.props", "Directory.Build.targets" })
            File.WriteAllText(_work["repo/" + file], file);
        foreach (var tool in Tools)
        {
            var found = new[] { "/usr/bin", "/bin", "/usr/sbin", "/sbin" }.Select(f => Path.Combine(f, tool)).FirstOrDefault(File.Exists);
            if (found is not null) File.CreateSymbolicLink(_work["tools/" + tool], found);
        }

        Script("tools/dotnet", Dotnet);
        Script("tools/ffmpeg", "#!/bin/sh\n");
        Script("tools/ffprobe", "#!/bin/sh\n");
    }

    private int Builds => File.Exists(_work["log"]) ? File.ReadAllLines(_work["log"]).Length : 0;

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task It_builds_once_and_then_becomes_the_program()
    {
        var first = await LaunchAsync("repo/metaprompts", "elsewhere", "process", "two words", "*.mp4", "");
        Assert.Equal(7, first.ExitCode);
        Assert.Equal($"wait=passive in={Resolved("elsewhere")}\n<process><two words><*.mp4><>", first.Output);
        Assert.Contains("noise of the build", first.Error, StringComparison.Ordinal);
        Assert.Equal(1, Builds);

        var second = await LaunchAsync("repo/metaprompts", "elsewhere", "doctor");
        Assert.Equal(7, second.ExitCode);
        Assert.Equal(1, Builds);
        Assert.Empty(second.Error);
    }

    [Fact]
    public async Task It_builds_again_when_a_source_changed_came_or_went()
    {
        await LaunchAsync("repo/metaprompts", "elsewhere");
        File.SetLastWriteTimeUtc(_work["repo/src/MetaPrompts.Cli/Program.cs"], DateTime.UtcNow.AddSeconds(2));
        await LaunchAsync("repo/metaprompts", "elsewhere");
        Assert.Equal(2, Builds);
        File.SetLastWriteTimeUtc(_work["repo/src/MetaPrompts.Cli/Program.cs"], DateTime.UtcNow.AddMinutes(-1));

        File.Delete(_work["repo/src/MetaPrompts.Cli/Other.cs"]);
        await LaunchAsync("repo/metaprompts", "elsewhere");
        Assert.Equal(3, Builds);

        File.WriteAllText(_work["repo/src/MetaPrompts.Cli/New.cs"], "");
        File.SetLastWriteTimeUtc(_work["repo/src/MetaPrompts.Cli/New.cs"], DateTime.UtcNow.AddYears(-1));
        await LaunchAsync("repo/metaprompts", "elsewhere");
        Assert.Equal(4, Builds);

        await LaunchAsync("repo/metaprompts", "elsewhere");
        Assert.Equal(4, Builds);
    }

    [Fact]
    public async Task It_is_found_through_a_link()
    {
        File.CreateSymbolicLink(_work["elsewhere/mp"], _work["repo/metaprompts"]);
        var run = await LaunchAsync("elsewhere/mp", "elsewhere", "doctor");
        Assert.Equal($"wait=passive in={Resolved("elsewhere")}\n<doctor>", run.Output);
    }

    [Fact]
    public async Task Streams_that_are_closed_lead_nowhere()
    {
        Script("elsewhere/closed", "#!/bin/bash\nexec \"$FAKE_ROOT/metaprompts\" doctor <&- >&-");
        var run = await LaunchAsync("elsewhere/closed", "elsewhere");
        Assert.Equal((7, ""), (run.ExitCode, run.Output));
        Assert.DoesNotContain("Bad file descriptor", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_starts_at_once_build_once()
    {
        var runs = await Task.WhenAll(LaunchAsync("repo/metaprompts", "elsewhere", "a"), LaunchAsync("repo/metaprompts", "repo", "b"));
        Assert.All(runs, run => Assert.Equal(7, run.ExitCode));
        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task A_failed_build_is_said_and_tried_again()
    {
        var failed = await LaunchAsync("repo/metaprompts", "elsewhere", fails: true, []);
        Assert.Equal(1, failed.ExitCode);
        Assert.Empty(failed.Output);
        Assert.Contains("metaprompts: error: the build failed", failed.Error, StringComparison.Ordinal);
        Assert.Equal(7, (await LaunchAsync("repo/metaprompts", "elsewhere")).ExitCode);
        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task A_missing_package_is_named_with_the_command_that_installs_it()
    {
        File.Delete(_work["tools/ffprobe"]);
        var run = await LaunchAsync("repo/metaprompts", "elsewhere", "doctor");
        Assert.Equal(7, run.ExitCode);
        Assert.Contains("sudo apt-get install -y ffmpeg", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_sdk_it_says_how_to_get_one()
    {
        Script("tools/dotnet", "#!/bin/sh\necho '8.0.100 [/sdk]'\n");
        var run = await LaunchAsync("repo/metaprompts", "elsewhere", "doctor");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("metaprompts: error: .NET SDK 10: not found; install it with: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_sdk_on_the_path_does_not_hide_the_right_one()
    {
        File.Move(_work["tools/dotnet"], _work["right"]);
        Directory.CreateDirectory(_work[".dotnet"]);
        File.Move(_work["right"], _work[".dotnet/dotnet"]);
        Script("tools/dotnet", "#!/bin/sh\necho '8.0.100 [/sdk]'\n");
        foreach (var builds in (int[])[1, 1])
        {
            var run = await LaunchAsync("repo/metaprompts", "elsewhere", "doctor");
            Assert.Equal(7, run.ExitCode);
            Assert.Equal(builds, Builds);
        }
    }

    [Fact]
    public async Task An_unknown_flavour_is_refused()
    {
        var run = await LaunchAsync("repo/metaprompts", "elsewhere", false, ["doctor"], ("METAPROMPTS_FLAVOR", "gpu"));
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("metaprompts: error: METAPROMPTS_FLAVOR: is 'gpu'; write cpu, cuda or external", run.OnlyError);
        Assert.Equal(0, Builds);
    }

    private async Task<CliResult> LaunchAsync(string launcher, string folder, params string[] arguments) => await LaunchAsync(launcher, folder, false, arguments);

    private async Task<CliResult> LaunchAsync(string launcher, string folder, bool fails, string[] arguments, params (string Name, string Value)[] more)
    {
        var start = new ProcessStartInfo(_work[launcher], arguments) { WorkingDirectory = _work[folder], RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment.Clear();
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["PATH"] = _work["tools"],
            ["HOME"] = _work.Folder,
            ["FAKE_LOG"] = _work["log"],
            ["FAKE_ROOT"] = _work["repo"],
            ["FAKE_FAILS"] = fails ? "1" : "",
            ["METAPROMPTS_NO_INSTALL"] = "1",
        }) start.Environment[name] = value;
        foreach (var (name, value) in more) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(patience.Token);
        return new CliResult(process.ExitCode, await output, await error);
    }

    private void Script(string path, string text)
    {
        File.WriteAllText(_work[path], text + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_work[path], (UnixFileMode)0b111_101_101);
    }

    private string Resolved(string folder) => new DirectoryInfo(_work[folder]).ResolveLinkTarget(true)?.FullName ?? _work[folder];
}
