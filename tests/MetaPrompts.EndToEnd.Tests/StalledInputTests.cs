using MetaPrompts.Cli;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Jobs;
using MetaPrompts.Cli.Options;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>A disk or a network share that stops answering ends the run, and does not throw away what it has made.</summary>
public sealed class StalledInputTests : IDisposable
{
    private const int Frames = 60;

    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task WhatIsThereIsKeptAndResumeGoesOn()
    {
        // Two megabytes a frame: more than the pipe holds, so that the rest must come from the decoder.
        var clip = _work[_work.Clip(frames: Frames, rate: 10, size: "1024x768")];
        var options = new FileJobOptions(_work["out"], new ModelChoice([_work[_work.SmallMini()]], null, "cpu", "fp32", null), OverlayMode.Depth, Maps: false, DepthScale.Millimetres, new PeopleSettings(), Steady: false, null,
            new CaptureOptions { StallTimeout = TimeSpan.FromSeconds(1) }, Resume: false, Force: false, Verbose: false);
        using var signals = new Signals();
        using var model = LoadedModel.Open(options.Model);
        var job = FileJob.For(Sources.Resolve(clip), options.OutputFolder)[0];
        var running = new FileRun(job, options, model, NullLogger.Instance).RunAsync(signals);
        while (!_work.Files("out/clip").Contains("overlay.mp4.part-0.seq") || (await File.ReadAllLinesAsync(_work["out/clip/overlay.mp4.part-0.seq"])).Length < 5) await Task.Delay(20);
        Decoders.Freeze(clip);
        var (stalled, _) = await running;
        Assert.Contains("no frame for 1 s", stalled.Error, StringComparison.Ordinal);
        Assert.Equal((true, false), (stalled.Stopped, stalled.Complete));
        Assert.Equal(stalled.Frames.Written, _work.FramesOf("out/clip/overlay.mp4"));

        var (whole, before) = await new FileRun(job, options with { Resume = true }, model, NullLogger.Instance).RunAsync(signals);
        Assert.Equal((false, null, false), (before, whole.Error, whole.Stopped));
        Assert.InRange(whole.Frames.Resumed, 1, stalled.Frames.Written);
        Assert.Equal(Enumerable.Range(0, Frames).Select(n => (long)n), _work.Sequences("out/clip/records.jsonl"));
        Assert.Equal(Frames, _work.FramesOf("out/clip/overlay.mp4"));
    }
}
