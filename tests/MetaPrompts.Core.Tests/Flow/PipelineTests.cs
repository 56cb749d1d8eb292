using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class PipelineTests
{
    private static readonly StreamId A = new("a"), B = new("b");
    private readonly PixelBufferPool _pool = new();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(4, 0)]
    [InlineData(4, 1)]
    public async Task A_file_arrives_whole_and_in_order_also_at_a_slow_sink(int maxBatch, int sinkMilliseconds)
    {
        var model = new FakeModel();
        var (sink, quick) = (new CollectingSink("slow") { PerWrite = TimeSpan.FromMilliseconds(sinkMilliseconds) }, new CollectingSink("quick"));
        var source = File(A, 200);
        var builder = new PipelineBuilder(model, _pool) { Batching = new BatchingOptions(maxBatch, maxBatch) }.AddSource(source).AddSink(sink).AddSink(quick);
        var report = (await builder.Build().RunAsync(default)).ThrowIfFailed();

        Ledger.Balances(report, _pool);
        Assert.Equal(Enumerable.Range(0, 200).Select(n => (long)n), sink.Sequences(A));
        Assert.Equal(sink.Sequences(A), quick.Sequences(A));
        Assert.Equal((200L, 200L), (report.Streams[0].Ledger.Captured, report.Streams[0].Ledger.Published));
        Assert.Equal(200, report.Published);
        Assert.Equal(report.Published / report.Seconds, report.FramesPerSecond);
        Assert.All([sink, quick], s => Assert.True(s.Completed && s.Disposed == 1));
        Assert.True(source.Disposed >= 1);
        Assert.False(report.Stopped);
        Assert.Single(model.Threads);
        Assert.InRange(report.PeakBuffers, 1, report.MaxBuffers);
        Assert.All(model.Batches, b => Assert.InRange(b.Length, 1, maxBatch));
    }

    [Fact]
    public async Task Several_files_run_side_by_side_each_to_its_own_sink()
    {
        var (toA, toB) = (new CollectingSink("to-a"), new CollectingSink("to-b"));
        var builder = new PipelineBuilder(new FakeModel(), _pool) { Batching = new BatchingOptions(4, 4) }
            .AddSource(File(A, 100)).AddSource(File(B, 30))
            .AddSink(toA, streams: new HashSet<StreamId> { A }).AddSink(toB, streams: new HashSet<StreamId> { B });
        var report = (await builder.Build().RunAsync(default)).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.Equal(100, toA.Sequences(A).Count());
        Assert.Equal(30, toB.Sequences(B).Count());
        Assert.Empty(toA.Sequences(B));
    }

    [Fact]
    public async Task A_frame_no_sink_wants_is_published_all_the_same()
    {
        var report = await new PipelineBuilder(new FakeModel(), _pool).AddSource(File(A, 10)).Build().RunAsync(default);
        Ledger.Balances(report, _pool);
        Assert.Equal(10, report.Published);
    }

    [Fact]
    public async Task A_frame_the_model_rejects_is_counted_and_the_rest_of_its_batch_goes_on()
    {
        var sink = new CollectingSink();
        var model = new FakeModel { Rejects = s => s.Sequence % 3 == 1 };
        var report = await new PipelineBuilder(model, _pool) { Batching = new BatchingOptions(4, 4) }.AddSource(File(A, 30)).AddSink(sink).Build().RunAsync(default);
        report.ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.Equal((20L, 10L), (report.Streams[0].Ledger.Published, report.Streams[0].Ledger.DroppedCorrupt));
        Assert.Equal(Enumerable.Range(0, 30).Where(n => n % 3 != 1).Select(n => (long)n), sink.Sequences(A));
    }

    [Fact]
    public async Task An_input_that_ends_by_failure_is_written_as_far_as_it_went()
    {
        var sink = new CollectingSink();
        var report = await new PipelineBuilder(new FakeModel(), _pool)
            .AddSource(new FakeSource(A, _pool, BackpressurePolicy.Lossless(), 7) { Fails = true }).AddSource(File(B, 20)).AddSink(sink).Build().RunAsync(default);
        Ledger.Balances(report, _pool);
        Assert.Equal(7, sink.Sequences(A).Count());
        Assert.Equal(20, sink.Sequences(B).Count());
        Assert.True(sink.Completed);
        Assert.Null(report.Failure);
        Assert.Contains("the cable was pulled", report.Streams[0].Lost!.Message, StringComparison.Ordinal);
        Assert.Equal(4, Assert.Throws<SourceLostException>(report.ThrowIfFailed).ExitCode);
    }

    [Fact]
    public async Task An_input_that_cannot_be_opened_fails_alone()
    {
        var plan = new StreamPlan(A, BackpressurePolicy.Lossless(), _ => throw new SourceLostException("a.mp4", "no such file"));
        var report = await new PipelineBuilder(new FakeModel(), _pool).AddStream(plan).AddSource(File(B, 5)).Build().RunAsync(default);
        Assert.NotNull(report.Streams[0].Lost);
        Assert.Equal(5, report.Published);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_required_sink_that_breaks_ends_the_run_and_no_sink_is_completed(bool strange)
    {
        var (broken, whole) = (new CollectingSink("broken") { FailsAt = 5, FailsWithStrangeException = strange }, new CollectingSink("whole"));
        var report = await new PipelineBuilder(new FakeModel(), _pool).AddSource(File(A, 10_000)).AddSink(whole).AddSink(broken).Build().RunAsync(default);
        Ledger.Balances(report, _pool);
        var failure = Assert.IsType<SinkFailedException>(report.Failure);
        Assert.StartsWith("broken: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(strange, failure.InnerException is IOException);
        Assert.False(whole.Completed || broken.Completed);
        Assert.All([broken, whole], s => Assert.Equal(1, s.Disposed));
        Assert.Equal(5, report.Published);
        Assert.InRange(report.Streams[0].Ledger.Failed, 1, report.MaxBuffers);
        Assert.Same(failure, report.Sinks[1].Failure);
        Assert.Same(failure, Assert.Throws<SinkFailedException>(report.ThrowIfFailed));
    }

    [Fact]
    public async Task A_sink_that_is_not_required_is_cut_off_and_the_others_go_on()
    {
        var (broken, whole) = (new CollectingSink("broken") { FailsAt = 5 }, new CollectingSink("whole"));
        var report = (await new PipelineBuilder(new FakeModel(), _pool).AddSource(File(A, 100)).AddSink(broken, required: false).AddSink(whole).Build().RunAsync(default)).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.Equal(100, report.Published);
        Assert.Equal(100, whole.Sequences(A).Count());
        Assert.Equal(("broken", 5L, 0L, 95L), (report.Sinks[0].Name, report.Sinks[0].Written, report.Sinks[0].Dropped, report.Sinks[0].Failed));
        Assert.NotNull(report.Sinks[0].Failure);
        Assert.True(whole.Completed);
        Assert.False(broken.Completed);
    }

    [Fact]
    public async Task A_sink_that_cannot_close_fails_the_run()
    {
        var sink = new CollectingSink { FailsToComplete = true };
        var report = await new PipelineBuilder(new FakeModel(), _pool).AddSource(File(A, 3)).AddSink(sink).Build().RunAsync(default);
        Assert.IsType<SinkFailedException>(report.Failure);
        Assert.Equal(1, sink.Disposed);
    }

    [Fact]
    public async Task A_model_that_fails_ends_the_run_with_its_own_exception()
    {
        var sink = new CollectingSink();
        var model = new FakeModel { Before = b => { if (b.Frames[0].Stamp.Sequence >= 10) throw new DeviceMemoryException("cuda:0", "out of memory"); } };
        var report = await new PipelineBuilder(model, _pool).AddSource(File(A, 10_000)).AddSink(sink).Build().RunAsync(default);
        Ledger.Balances(report, _pool);
        Assert.Equal(6, Assert.Throws<DeviceMemoryException>(report.ThrowIfFailed).ExitCode);
        Assert.True(report.Streams[0].Ledger.Failed > 0);
        Assert.False(sink.Completed);
    }

    [Fact]
    public async Task The_first_signal_stops_the_source_and_finishes_what_is_in_hand()
    {
        using var stop = new CancellationTokenSource();
        var sink = new CollectingSink { PerWrite = TimeSpan.FromMilliseconds(1) };
        var model = new FakeModel { Before = b => { if (b.Frames[0].Stamp.Sequence == 20) stop.Cancel(); } };
        var report = (await new PipelineBuilder(model, _pool).AddSource(File(A, 1_000_000)).AddSink(sink).Build().RunAsync(stop.Token)).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.True(report.Stopped);
        Assert.True(sink.Completed);
        Assert.Equal(report.Streams[0].Ledger.Captured, report.Published);
        Assert.Equal(Enumerable.Range(0, (int)report.Published).Select(n => (long)n), sink.Sequences(A));
        Assert.InRange(report.Published, 21, 21 + report.MaxBuffers);
    }

    [Fact]
    public async Task When_the_time_to_drain_is_over_frames_that_wait_are_dropped_and_sinks_complete()
    {
        using var stop = new CancellationTokenSource();
        var sink = new CollectingSink();
        var model = new FakeModel { PerCall = TimeSpan.FromMilliseconds(30), Before = _ => stop.CancelAfter(5) };
        var builder = new PipelineBuilder(model, _pool) { Batching = new BatchingOptions(1), Drain = TimeSpan.FromMilliseconds(10) };
        var report = (await builder.AddSource(File(A, 1000)).AddSink(sink).Build().RunAsync(stop.Token)).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.True(sink.Completed);
        Assert.True(report.Streams[0].Ledger.DroppedQueue > 0);
        Assert.True(report.Published > 0);
    }

    /// <summary>A file waits for its sink; a service that is told to stop does not wait for ever, and what was left is accounted for.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_time_to_drain_holds_for_sinks_too(bool listens)
    {
        using var stop = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        var sink = new CollectingSink { Gate = never.Task, IgnoresStop = !listens };
        var builder = new PipelineBuilder(new FakeModel { Before = _ => stop.CancelAfter(20) }, _pool) { Batching = new BatchingOptions(1), Drain = TimeSpan.FromMilliseconds(50) };
        var report = await builder.AddSource(File(A, 1000)).AddSink(sink, required: false).Build().RunAsync(stop.Token).WaitAsync(TimeSpan.FromSeconds(60));
        Ledger.Balances(report, _pool);
        Assert.Null(report.Failure);
        Assert.Equal(listens, sink.Completed);
        Assert.Equal(listens ? null : "collecting: takes nothing any more; what was left for it is lost", report.Sinks[0].Failure?.Message);
        Assert.True(report.Streams[0].Ledger.Failed > 0);
    }

    /// <summary>A camera does not care what a file waits for.</summary>
    [Fact]
    public async Task A_sink_that_a_file_waits_for_holds_up_no_camera()
    {
        using var stop = new CancellationTokenSource();
        var (gate, seen) = (new TaskCompletionSource(), new TaskCompletionSource());
        var stuck = new CollectingSink("stuck", BackpressurePolicy.Lossless(1)) { Gate = gate.Task };
        var quick = new CollectingSink("quick") { Wrote = stamp => { if (stamp.Stream == B && stamp.Sequence > 200) seen.TrySetResult(); } };
        var running = new PipelineBuilder(new FakeModel(), _pool) { Batching = new BatchingOptions(4, 2) }
            .AddSource(File(A, 50)).AddSource(new FakeSource(B, _pool, BackpressurePolicy.Latest, long.MaxValue) { Interval = TimeSpan.FromMilliseconds(1) })
            .AddSink(stuck, streams: new HashSet<StreamId> { A }).AddSink(quick).Build().RunAsync(stop.Token);
        await seen.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Empty(stuck.Stamps);
        gate.SetResult();
        for (var i = 0; i < 6000 && stuck.Stamps.Count < 50; i++) await Task.Delay(10);
        await stop.CancelAsync();
        var report = (await running).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.Equal(Enumerable.Range(0, 50).Select(n => (long)n), stuck.Sequences(A));
        Assert.Equal(Enumerable.Range(0, 50).Select(n => (long)n), quick.Sequences(A));
    }

    /// <summary>Our bug is told as what it was, not as books that do not add up.</summary>
    [Fact]
    public async Task A_failure_behind_the_model_is_the_reports()
    {
        var sink = new CollectingSink();
        var builder = new PipelineBuilder(new FakeModel { Says = new FramePerception(null, null, new PosePrediction(null!, "model")) }, _pool) { FollowPeople = true };
        var report = await builder.AddSource(File(A, 10)).AddSink(sink).Build().RunAsync(default);
        Ledger.Balances(report, _pool);
        Assert.True(report.Failure is NullReferenceException or ArgumentNullException, report.Failure?.ToString());
    }

    [Fact]
    public async Task The_second_signal_breaks_off_and_completes_nothing()
    {
        using var abort = new CancellationTokenSource();
        var sink = new CollectingSink { PerWrite = Timeout.InfiniteTimeSpan };
        var model = new FakeModel { Before = _ => abort.CancelAfter(20) };
        var report = await new PipelineBuilder(model, _pool).AddSource(File(A, 1000)).AddSink(sink).Build().RunAsync(default, abort.Token);
        Ledger.Balances(report, _pool);
        Assert.True(report.Stopped);
        Assert.False(sink.Completed);
        Assert.Equal(1, sink.Disposed);
        Assert.Equal(report.Streams[0].Ledger.Captured, report.Streams[0].Ledger.Failed);
    }

    [Fact]
    public async Task A_slow_sink_loses_only_its_own_items_and_a_camera_never_waits_for_it()
    {
        // The slow ones write nothing until the quick one has everything: a corridor that waited for them would never end.
        var everything = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slow = new CollectingSink("slow", BackpressurePolicy.Lossless(1)) { Gate = everything.Task };
        var latest = new CollectingSink("latest", BackpressurePolicy.Latest) { Gate = everything.Task };
        var quick = new CollectingSink("quick", BackpressurePolicy.Lossless(128)) { Wrote = s => { if (s.Sequence == 99) everything.SetResult(); } };
        var builder = new PipelineBuilder(new FakeModel(), _pool).AddSource(new NumberedSource(new BackpressurePolicy(128, WhenFull.DropOldest), [.. Enumerable.Range(0, 100)]))
            .AddSink(slow).AddSink(latest).AddSink(quick);
        builder.Batching = builder.Batching with { MaxStaleness = TimeSpan.FromMinutes(10) };
        var report = (await builder.Build().RunAsync(default)).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        Assert.Equal(100, report.Published);
        Assert.Equal(100, quick.Stamps.Count);
        Assert.All(report.Sinks.Take(2), s => Assert.Equal((100L, true), (s.Written + s.Dropped, s.Written is 1 or 2)));
        Assert.Equal(99, latest.Stamps[^1].Sequence);
    }

    [Fact]
    public async Task Four_cameras_are_served_alike_though_one_is_ten_times_as_fast()
    {
        StreamId[] ids = [new("fast"), new("b"), new("c"), new("d")];
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(1200));
        var model = new FakeModel { PerCall = TimeSpan.FromMilliseconds(12) };
        var builder = new PipelineBuilder(model, _pool) { Batching = new BatchingOptions(2) };
        foreach (var id in ids)
        {
            var interval = TimeSpan.FromMilliseconds(id == ids[0] ? 2 : 20);
            builder.AddStream(new StreamPlan(id, BackpressurePolicy.Latest, _ => new FakeSource(id, _pool, BackpressurePolicy.Latest, long.MaxValue) { Interval = interval }, new ReconnectOptions()));
        }

        var report = (await builder.Build().RunAsync(stop.Token)).ThrowIfFailed();
        Ledger.Balances(report, _pool);
        var served = report.Streams.Select(s => (double)s.Ledger.Published).ToArray();
        var jain = Math.Pow(served.Sum(), 2) / (served.Length * served.Sum(x => x * x));
        Assert.True(jain >= 0.95, $"Jain {jain:0.000} of {string.Join('/', served)}");
        Assert.True(report.Streams[0].Ledger.DroppedQueue > report.Streams[1].Ledger.DroppedQueue);
    }

    [Fact]
    public async Task Progress_tells_every_frame_that_has_ended()
    {
        var told = new List<PipelineProgress>();
        var builder = new PipelineBuilder(new FakeModel(), _pool) { Progress = new Telling(told) };
        await builder.AddSource(File(A, 25)).AddSink(new CollectingSink()).Build().RunAsync(default);
        Assert.Equal(Enumerable.Range(1, 25).Select(n => (long)n), told.Select(p => p.Ended));
        Assert.Equal(TimeSpan.FromMilliseconds(960), told[^1].MediaTime);
    }

    [Fact]
    public async Task A_model_is_called_on_as_many_threads_as_it_has_lanes()
    {
        var model = new FakeModel { Lanes = 2, PerCall = TimeSpan.FromMilliseconds(2) };
        var sink = new CollectingSink();
        await new PipelineBuilder(model, _pool).AddSource(File(A, 30)).AddSink(sink).Build().RunAsync(default);
        Assert.Equal(2, model.Threads.Count);
        Assert.Equal(Enumerable.Range(0, 30).Select(n => (long)n), sink.Sequences(A));
    }

    [Fact]
    public async Task Mistakes_are_named_before_anything_starts()
    {
        Assert.Equal("streams", Assert.Throws<ConfigurationException>(() => new PipelineBuilder(new FakeModel(), _pool).Build()).Key);
        Assert.Equal("streams.a", Assert.Throws<ConfigurationException>(() => new PipelineBuilder(new FakeModel(), _pool).AddSource(File(A, 1)).AddSource(File(A, 1)).Build()).Key);
        var pipeline = new PipelineBuilder(new FakeModel(), _pool).AddSource(File(A, 1)).Build();
        await pipeline.RunAsync(default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => pipeline.RunAsync(default));
    }

    [Fact]
    public async Task A_pipeline_that_never_ran_closes_its_doors()
    {
        var (source, sink) = (File(A, 1), new CollectingSink());
        await using (new PipelineBuilder(new FakeModel(), _pool).AddSource(source).AddSink(sink).Build())
        {
        }

        Assert.Equal((1, 1), (source.Disposed, sink.Disposed));
        Assert.False(sink.Completed);
    }

    /// <summary>Whatever happens and whenever: every frame has one outcome, every buffer is back, files keep their order.</summary>
    [Fact]
    public async Task Nothing_is_lost_or_left_alive_whenever_a_run_is_stopped_broken_off_or_fails()
    {
        for (var seed = 0; seed < 80; seed++)
        {
            var random = new Random(seed);
            var pool = new PixelBufferPool();
            using var stop = new CancellationTokenSource();
            using var abort = new CancellationTokenSource();
            var fuse = random.Next(1, 60);
            var accident = random.Next(6);
            var model = new FakeModel
            {
                Rejects = s => s.Sequence % 11 == seed % 11,
                Before = _ =>
                {
                    if (Interlocked.Decrement(ref fuse) != 0) return;
                    if (accident is 1 or 2) stop.Cancel();
                    if (accident == 2) abort.CancelAfter(random.Next(3));
                    if (accident == 3) throw new InvalidOperationException("a bug");
                },
            };
            var builder = new PipelineBuilder(model, pool) { Batching = new BatchingOptions(random.Next(1, 6), random.Next(1, 4)) { MaxWait = TimeSpan.FromMilliseconds(random.Next(3)) } };
            if (random.Next(2) == 0) builder.Drain = TimeSpan.FromMilliseconds(random.Next(5));
            for (var i = 0; i < random.Next(1, 4); i++)
                builder.AddSource(new FakeSource(new StreamId($"file{i}"), pool, BackpressurePolicy.Lossless(random.Next(1, 5)), random.Next(150)) { Fails = random.Next(4) == 0 });
            for (var i = 0; i < random.Next(3); i++)
            {
                var id = new StreamId($"camera{i}");
                var policy = new BackpressurePolicy(random.Next(1, 3), random.Next(2) == 0 ? WhenFull.DropOldest : WhenFull.DropNewest);
                builder.AddSource(new FakeSource(id, pool, policy, random.Next(400)) { Fails = random.Next(4) == 0 });
            }

            var sinks = Enumerable.Range(0, random.Next(4)).Select(i => new CollectingSink(
                $"sink{i}", random.Next(2) == 0 ? BackpressurePolicy.Lossless(random.Next(1, 4)) : BackpressurePolicy.Latest)
            {
                PerWrite = random.Next(6) == 0 ? TimeSpan.FromMilliseconds(1) : TimeSpan.Zero,
                FailsAt = accident == 4 ? random.Next(80) : null,
            }).ToList();
            foreach (var sink in sinks) builder.AddSink(sink, required: random.Next(2) == 0);
            if (accident == 5) stop.CancelAfter(random.Next(4));

            var run = builder.Build().RunAsync(stop.Token, abort.Token);
            Assert.True(await Task.WhenAny(run, Task.Delay(TimeSpan.FromSeconds(20))) == run, $"seed {seed} hangs");
            var report = await run;
            try
            {
                Ledger.Balances(report, pool);
                foreach (var sink in sinks)
                {
                    Assert.Equal(1, sink.Disposed);
                    foreach (var stream in report.Streams)
                    {
                        var got = sink.Sequences(stream.Ledger.Stream).ToList();
                        Assert.Equal(got.Order().Distinct(), got);
                    }
                }

                if (report.Failure is not null) Assert.DoesNotContain(sinks, s => s.Completed);
                if (report.Failure is not null && accident == 3) Assert.Equal("a bug", report.Failure.Message);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private FakeSource File(StreamId stream, long frames) => new(stream, _pool, BackpressurePolicy.Lossless(), frames);

    private sealed class Telling(List<PipelineProgress> told) : IProgress<PipelineProgress>
    {
        public void Report(PipelineProgress value)
        {
            lock (told) told.Add(value);
        }
    }
}
