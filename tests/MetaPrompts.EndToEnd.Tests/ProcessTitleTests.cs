using System.Diagnostics;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Contract §2: user and password of a URL are in no process title.</summary>
public sealed class ProcessTitleTests : IDisposable
{
    private readonly Workspace _work = new();

    [Fact]
    public async Task A_password_typed_as_an_argument_is_taken_out_of_the_list_of_processes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux lets a process change what is shown");
        using var run = Cli.Start(_work.Folder, "run", "rtsp://viewer:s3cr3t@127.0.0.1:1/cam?token=t0psecret");
        var clock = Stopwatch.StartNew();
        string title;
        do
        {
            await Task.Delay(50);
            title = await File.ReadAllTextAsync($"/proc/{run.Id}/cmdline");
        }
        while (!title.Contains("***", StringComparison.Ordinal) && !run.HasExited && clock.Elapsed.TotalSeconds < 60);
        Assert.Contains("\0rtsp://***@127.0.0.1:1/cam?token=***\0", title, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", title, StringComparison.Ordinal);
        run.Signal("TERM");
        var ended = await run.EndAsync();
        Assert.DoesNotContain("s3cr3t", ended.Output + ended.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _work.Dispose();
}
