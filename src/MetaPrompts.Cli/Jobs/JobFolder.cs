using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Sinks;

namespace MetaPrompts.Cli.Jobs;

/// <summary>
/// The output folder of one input: what is in it, and whether a run may begin or go on there. While a run is unfinished, <c>job.json.partial</c> holds what it was asked to do,
/// so that it can only be resumed as what it was.
/// </summary>
internal sealed class JobFolder(string path)
{
    private const string JobFile = "job.json.partial";

    private static readonly string[] Outputs = ["overlay.mp4", "records.jsonl", "summary.json"];

    public string Path { get; } = path;

    public string Overlay => System.IO.Path.Combine(Path, "overlay.mp4");

    public string Records => System.IO.Path.Combine(Path, "records.jsonl");

    public string Summary => System.IO.Path.Combine(Path, "summary.json");

    /// <summary>Decides how a run begins here. Changes nothing.</summary>
    /// <param name="job">What the run is asked to do: name of the setting → value.</param>
    /// <exception cref="ConfigurationException">There is an output that must not be overwritten, or an interrupted run that was another one.</exception>
    public JobStart Check(IReadOnlyDictionary<string, string> job, bool resume, bool force)
    {
        var interrupted = ReadJob();
        var finished = interrupted is null && File.Exists(Summary);
        if (resume && finished) return JobStart.AlreadyDone;
        if (resume && interrupted is not null)
        {
            foreach (var (name, value) in job)
            {
                var before = interrupted.GetValueOrDefault(name, "");
                if (before != value) throw new ConfigurationException("--resume", $"the interrupted run in {Path} had {name} {Shown(before)}, this one has {Shown(value)}; give the same, or --force to start again");
            }

            return JobStart.Resume;
        }

        if (force) return JobStart.Afresh;
        if (interrupted is not null && File.Exists(Summary)) throw new ConfigurationException(Path, "holds the output of a run that was stopped; use --resume to go on, or --force to start again");
        if (Outputs.FirstOrDefault(o => File.Exists(In(o))) is { } output) throw new ConfigurationException(In(output), "exists already; use --force to overwrite it, or another --out");
        if (MapFiles().FirstOrDefault() is { } map && interrupted is null) throw new ConfigurationException(map, "exists already; use --force to overwrite it, or another --out");
        return JobStart.Afresh;
    }

    /// <summary>What a finished run said of itself.</summary>
    /// <exception cref="ConfigurationException">It cannot be read.</exception>
    public Summary Finished()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(Summary), SummaryJson.Default.Summary) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(Summary, "cannot be read, so nobody knows what was finished; use --force to start again");
        }
    }

    /// <summary>Makes the folder ready: empties it of an earlier run's output unless that is resumed, and notes the job.</summary>
    /// <exception cref="SinkFailedException">Nothing can be written here.</exception>
    public void Begin(JobStart start, IReadOnlyDictionary<string, string> job)
    {
        try
        {
            Directory.CreateDirectory(Path);
            if (start == JobStart.Afresh)
            {
                foreach (var file in Outputs.Select(In).Concat(MapFiles()).ToList()) File.Delete(file);
            }

            // Gone while the run goes on: it tells of a run that has ended.
            File.Delete(Summary);
            File.WriteAllText(In(JobFile), JsonSerializer.Serialize(new Dictionary<string, string>(job), SummaryJson.Default.DictionaryStringString));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <summary>Writes the summary; a run that was not stopped is finished with it.</summary>
    public void End(Summary summary)
    {
        try
        {
            var temporary = Summary + ".partial";
            File.WriteAllBytes(temporary, summary.ToJson());
            File.Move(temporary, Summary, overwrite: true);
            if (!summary.Stopped) File.Delete(In(JobFile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <summary>Takes back what a run without a single frame has left: empty files would look like output.</summary>
    public void Abandon()
    {
        foreach (var name in Outputs.Append(JobFile)) File.Delete(In(name));
        if (Directory.Exists(Path) && !Directory.EnumerateFileSystemEntries(Path).Any()) Directory.Delete(Path);
    }

    /// <summary>Names of what a finished run has left here.</summary>
    public IReadOnlyList<string> Written()
    {
        var written = Outputs.Where(o => o != "summary.json" && File.Exists(In(o))).ToList();
        written.AddRange(MapFolders().Where(f => Directory.Exists(f) && Directory.EnumerateFiles(f, "*.png").Any()).Select(f => System.IO.Path.GetFileName(f) + "/"));
        return written;
    }

    private static string Shown(string value) => value.Length == 0 ? "none" : $"'{value}'";

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private IEnumerable<string> MapFolders() =>
        new[] { PerceptionTask.Depth, PerceptionTask.Segmentation }.Select(task => System.IO.Path.GetDirectoryName(In(MapFilesSink.Reference(task, 0)))!);

    private IEnumerable<string> MapFiles() => MapFolders().Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "????????.png"));

    private Dictionary<string, string>? ReadJob()
    {
        try
        {
            return File.Exists(In(JobFile)) ? JsonSerializer.Deserialize(File.ReadAllText(In(JobFile)), SummaryJson.Default.DictionaryStringString) : null;
        }
        catch (JsonException)
        {
            return [];                                                          // cut off while it was written: differs from every job
        }
    }

    private SinkFailedException Unwritable(Exception e) => new(Path, e switch
    {
        UnauthorizedAccessException => "permission denied; choose a folder you may write to",
        _ when e.Message.Contains("No space left", StringComparison.Ordinal) => "the disk is full; free some space and run again",
        _ when e.Message.Contains("Read-only file system", StringComparison.Ordinal) => "the file system is read-only; choose another folder",
        _ when File.Exists(Path) || AncestorIsFile() => "a file of this name is in the way; choose another folder",
        _ => $"{e.Message.ReplaceLineEndings(" ").TrimEnd('.')}; check the disk and the path",
    }, e);

    private bool AncestorIsFile()
    {
        for (var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)); !string.IsNullOrEmpty(folder); folder = System.IO.Path.GetDirectoryName(folder))
        {
            if (File.Exists(folder)) return true;
        }

        return false;
    }
}

/// <summary>How a run begins in its folder.</summary>
internal enum JobStart
{
    Afresh,
    Resume,
    AlreadyDone,
}
