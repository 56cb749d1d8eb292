using System.Diagnostics;
using System.Text;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>What a run of the program left behind.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The one line a user sees of a failure.</summary>
    public string OnlyError
    {
        get
        {
            var errors = ErrorLines.Where(l => l.StartsWith("metaprompts: error: ", StringComparison.Ordinal)).ToArray();
            Assert.True(errors.Length == 1, $"expected one error line, got:\n{Error}");
            Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
            return errors[0];
        }
    }
}

/// <summary>The built program as a process of its own, as a user starts it. Nothing may hang: what has not ended after four minutes is killed and fails its test.</summary>
internal sealed class Cli : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    // A shell's background job ignores INT and QUIT, a nohup HUP, and a child inherits that: a suite started so must not make programs that cannot be interrupted.
    private static readonly string[] WithSignals = ["env", "--default-signal=INT,QUIT,HUP"];

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private Cli(string folder, string[] before, string[] arguments)
    {
        string[] words = [.. WithSignals, .. before, "dotnet", "exec", Program, .. arguments];
        var start = new ProcessStartInfo(words[0], words[1..]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        start.Environment["OMP_NUM_THREADS"] = "1";
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Append(_output, e.Data);
        _process.ErrorDataReceived += (_, e) => Append(_error, e.Data);
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The Cli project's output lies beside the tests'.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "metaprompts.dll");

    public static string RepositoryRoot { get; } = FindRoot();

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public static async Task<CliResult> RunAsync(string folder, params string[] arguments)
    {
        using var cli = new Cli(folder, [], arguments);
        return await cli.EndAsync();
    }

    /// <summary>The same behind a command that changes how it runs: <c>setpriv …</c>.</summary>
    public static async Task<CliResult> RunBehindAsync(string[] before, string folder, params string[] arguments)
    {
        using var cli = new Cli(folder, before, arguments);
        return await cli.EndAsync();
    }

    public static Cli Start(string folder, params string[] arguments) => new(folder, [], arguments);

    /// <summary>The same behind a command that changes how it runs.</summary>
    public static Cli StartBehind(string[] before, string folder, params string[] arguments) => new(folder, before, arguments);

    /// <summary>As the leader of a process group, as in a terminal.</summary>
    public static Cli StartGroup(string folder, params string[] arguments) => new(folder, ["setsid"], arguments);

    /// <param name="group">To its children, too.</param>
    /// <param name="twice">At once, as those do who send it to the process and to its group.</param>
    public void Signal(string signal, bool group = false, bool twice = false)
    {
        var target = $"{(group ? "-" : "")}{Id}";
        using var kill = Process.Start("kill", [$"-{signal}", "--", target, .. twice ? new[] { target } : []]);
        kill.WaitForExit();
    }

    /// <summary>SIGKILL for it and its children.</summary>
    public void KillTree() => _process.Kill(entireProcessTree: true);

    public async Task<CliResult> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            throw new TimeoutException($"did not end within {Patience}; it said:\n{_output}\n{_error}");
        }

        lock (_output) return new CliResult(_process.ExitCode, _output.ToString(), _error.ToString());
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void Append(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (_output) text.Append(line).Append('\n');
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MetaPrompts.Stream.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("the tests do not lie in the repository");
    }
}
