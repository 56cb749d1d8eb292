using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Sinks;

/// <summary>
/// The pieces of a video that is being written: <c>overlay.mp4.part-0.ts</c>, <c>…part-1.ts</c>, one a run, with absolute timestamps in MPEG-TS, which survives being cut off
/// anywhere; beside each a <c>.seq</c> file with the sequence of each of its frames, a line a frame. Frames have no B-frames among them, so a part may be cut after any packet.
/// </summary>
internal sealed class VideoParts(FfmpegTools tools, string path)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    /// <summary>Sequences of the frames of each part that are safely in it.</summary>
    private readonly List<long[]> _frames = [];

    public int Count => _frames.Count;

    public long FrameCount => _frames.Sum(part => (long)part.Length);

    public long NextSequence => _frames.Count > 0 ? _frames[^1][^1] + 1 : 0;

    public string Video(int part) => $"{path}.part-{part.ToString(CultureInfo.InvariantCulture)}.ts";

    public string Sequences(int part) => $"{path}.part-{part.ToString(CultureInfo.InvariantCulture)}.seq";

    /// <summary>Removes all pieces, of this run and of earlier ones.</summary>
    public void RemoveAll()
    {
        _frames.Clear();
        RemoveFrom(0);
    }

    /// <summary>Takes stock of what interrupted runs left. The last frame of the last part may be cut in half, so it does not count; the parts before it were put right by the run that began the next.</summary>
    public async Task ScanAsync(CancellationToken stop)
    {
        for (var part = 0; File.Exists(Video(part)) && File.Exists(Sequences(part)); part++)
        {
            var sequences = ReadSequences(part);
            var packets = await CountPacketsAsync(Video(part), stop).ConfigureAwait(false);
            var whole = File.Exists(Video(part + 1)) ? packets : packets - 1;
            // What goes on behind a gap is of no use: it goes first, so that a kill between the two leaves no gap either.
            if (whole < sequences.Count) RemoveFrom(part + 1);
            if (!await KeepAsync(part, [.. sequences.Take((int)Math.Min(sequences.Count, whole))], packets, stop).ConfigureAwait(false)) break;
        }

        RemoveFrom(_frames.Count);
    }

    /// <summary>Forgets every frame from <paramref name="sequence"/> on.</summary>
    public async Task CutAtAsync(long sequence, CancellationToken stop)
    {
        while (_frames.Count > 0 && _frames[^1][^1] >= sequence)
        {
            var last = _frames[^1];
            _frames.RemoveAt(_frames.Count - 1);
            RemoveFrom(_frames.Count + 1);
            await KeepAsync(_frames.Count, [.. last.TakeWhile(s => s < sequence)], last.Length, stop).ConfigureAwait(false);
        }

        RemoveFrom(_frames.Count);
    }

    /// <summary>Joins all parts, without coding again, as an MP4 whose index stands first.</summary>
    /// <param name="parts">How many.</param>
    /// <param name="frames">How many frames must be in it.</param>
    public async Task JoinAsync(int parts, string output, long ticksPerSecond, long frames, CancellationToken stop)
    {
        string[] arguments =
        [
            "-hide_banner", "-nostats", "-loglevel", "level+warning", "-y",
            // A step of more than ten seconds would be taken for a break in the clock and closed, though the next frame may be an hour later; what wraps, after 26.5 hours, still is one.
            "-dts_delta_threshold", "90000", "-f", "mpegts", "-i", "pipe:0", "-map", "0:v:0", "-c", "copy",
            // The last frame is shown as long as the one before it. (Not a number of seconds: releases differ in the time base that the filter counts in.)
            .. tools.SetsDurations ? ["-bsf:v", "setts=duration=if(N\\,PTS-PREV_INPTS\\,DURATION)"] : Array.Empty<string>(),
            // Neither B-frames nor a late start: nothing to edit, and a last frame of unknown length is not edited away.
            "-use_editlist", "0", "-video_track_timescale", ticksPerSecond.ToString(CultureInfo.InvariantCulture), "-movflags", "+faststart", "-f", "mp4", FfmpegInput.Url(output),
        ];
        await using var child = FfmpegProcess.Start(tools.Ffmpeg, arguments);
        await using var killed = stop.Register(child.Kill);
        try
        {
            for (var part = 0; part < parts; part++)
            {
                await using var file = File.OpenRead(Video(part));
                await file.CopyToAsync(child.Input, 1 << 20, stop).ConfigureAwait(false);
            }

            child.Input.Close();
        }
        catch (IOException)
        {
            // The child has gone; its status and words say why.
        }

        var status = await child.WaitAsync(Deadline).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        if (status != 0) throw new SinkFailedException(path, FfmpegErrors.Explain(child.LastLines));
        var info = await FfmpegProbe.ReadAsync(tools, output, stop).ConfigureAwait(false);
        if (info.FrameCount != frames) throw new SinkFailedException(path, $"{info.FrameCount} frames arrived in the file instead of {frames}; ffmpeg {tools.Version} lost some: run again with another version");
    }

    /// <summary>Keeps the first frames of the part behind those that are counted, and counts it.</summary>
    /// <param name="sequences">Of the frames to keep.</param>
    /// <param name="packets">How many are in it.</param>
    /// <returns>False when there are none, or the part cannot be read.</returns>
    private async Task<bool> KeepAsync(int part, long[] sequences, long packets, CancellationToken stop)
    {
        if (sequences.Length == 0 || (packets != sequences.Length && !await CutAsync(part, sequences.Length, stop).ConfigureAwait(false))) return false;
        var temporary = NewSequences(part);
        // Under another name first: half a list would pass for the whole of it.
        await File.WriteAllLinesAsync(temporary, sequences.Select(s => s.ToString(CultureInfo.InvariantCulture)), stop).ConfigureAwait(false);
        File.Move(temporary, Sequences(part), overwrite: true);
        _frames.Add(sequences);
        return true;
    }

    /// <summary>Keeps the first packets of a part.</summary>
    /// <returns>False when the part cannot be read.</returns>
    private async Task<bool> CutAsync(int part, int packets, CancellationToken stop)
    {
        var cut = Cut(part);
        string[] arguments =
        [
            "-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+warning", "-y", "-copyts", "-f", "mpegts", "-i", FfmpegInput.Url(Video(part)), "-map", "0:v:0", "-c", "copy",
            "-frames:v", packets.ToString(CultureInfo.InvariantCulture), "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", FfmpegInput.Url(cut),
        ];
        var cutting = await FfmpegProcess.CaptureAsync(tools.Ffmpeg, arguments, Deadline, stop).ConfigureAwait(false);
        if (cutting.Status != 0 || await CountPacketsAsync(cut, stop).ConfigureAwait(false) != packets)
        {
            File.Delete(cut);
            return false;
        }

        File.Move(cut, Video(part), overwrite: true);
        return true;
    }

    private async Task<long> CountPacketsAsync(string file, CancellationToken stop)
    {
        string[] arguments = ["-loglevel", "quiet", "-f", "mpegts", "-print_format", "json", "-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets", FfmpegInput.Url(file)];
        var said = await FfmpegProcess.CaptureAsync(tools.Ffprobe, arguments, Deadline, stop).ConfigureAwait(false);
        try
        {
            using var json = JsonDocument.Parse(said.Output);
            return json.RootElement.TryGetProperty("streams", out var streams) && streams.GetArrayLength() > 0 && streams[0].TryGetProperty("nb_read_packets", out var count)
                ? long.Parse(count.GetString()!, CultureInfo.InvariantCulture)
                : 0;
        }
        catch (JsonException)
        {
            return 0;
        }
    }

    /// <summary>The leading lines that are whole and rise.</summary>
    private List<long> ReadSequences(int part)
    {
        var text = File.ReadAllText(Sequences(part));
        var sequences = new List<long>();
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!long.TryParse(line, CultureInfo.InvariantCulture, out var sequence) || sequence < (sequences.Count > 0 ? sequences[^1] + 1 : NextSequence)) break;
            sequences.Add(sequence);
        }

        return sequences;
    }

    private string Cut(int part) => Video(part) + ".cut";

    private string NewSequences(int part) => Sequences(part) + ".new";

    private void RemoveFrom(int part)
    {
        // Of runs that were killed while they put a part right that is kept.
        for (var kept = 0; kept < part; kept++)
        {
            File.Delete(Cut(kept));
            File.Delete(NewSequences(kept));
        }

        for (; new[] { Video(part), Sequences(part), Cut(part), NewSequences(part) }.Any(File.Exists); part++)
        {
            foreach (var file in new[] { Video(part), Sequences(part), Cut(part), NewSequences(part) }) File.Delete(file);
        }
    }
}
