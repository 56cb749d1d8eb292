using System.Globalization;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Killed at any moment, resumed, killed again: while it opens, writes, puts right what the kill before left, or joins. METAPROMPTS_KILLS sets how often (tests/kills.sh: 100).</summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const int Frames = 120;

    private readonly Workspace _work = new();

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("METAPROMPTS_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 4;

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task EveryFrameIsThereOnce()
    {
        _work.Clip(frames: Frames, rate: 24);
        _work.SmallMini();
        var (random, kills, jobs) = (new Random(12), 0, 0);
        while (kills < Count)
        {
            string[] command = ["process", "clip.mp4", "--out", $"out-{jobs}", "--refine-steps", "3", "--maps", "--model", "small.json", "--resume"];
            var killed = 0;
            while (true)
            {
                using var cli = Cli.Start(_work.Folder, command);
                var ending = cli.EndAsync();
                // The last run of a job, after some kills, is left alone; the one before may end by itself.
                if (killed < 6 && kills < Count && await Task.WhenAny(ending, Task.Delay(random.Next(300, 5000))) != ending)
                {
                    // With its decoder and encoder, or without: those then see their pipes end.
                    if (random.Next(2) == 0) cli.KillTree();
                    else cli.Signal("KILL");
                    (killed, kills) = (killed + 1, kills + 1);
                    await ending;
                    continue;
                }

                var ended = await ending;
                Assert.True(ended.ExitCode == 0, ended.Error);
                break;
            }

            _work.AssertWhole($"out-{jobs++}/clip", Frames);
            output.WriteLine($"killed {killed} times, then whole: {Frames} frames");
        }

        output.WriteLine($"{kills} kills, {jobs} jobs, none missing, none twice");
    }
}
