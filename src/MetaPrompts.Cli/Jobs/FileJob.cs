using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Cli.Jobs;

/// <summary>What <c>process</c> is asked to do with each of its inputs.</summary>
/// <param name="Overlay">Null: no video.</param>
internal sealed record FileJobOptions(
    string OutputFolder, ModelChoice Model, OverlayMode? Overlay, bool Maps, DepthScale DepthScale, PeopleSettings People, bool Steady, FocalLength? Focal, CaptureOptions Capture, bool Resume, bool Force, bool Verbose);

/// <summary>One input and the folder its output goes to.</summary>
/// <param name="Folder">Of this input alone.</param>
internal sealed record FileJob(SourceSpec Source, string Folder)
{
    /// <summary>Jobs for all inputs, in order; two inputs of the same name get folders <c>name</c> and <c>name-2</c>.</summary>
    public static IReadOnlyList<FileJob> For(IEnumerable<SourceSpec> sources, string outputFolder)
    {
        // Names that differ in case only are one folder on some file systems.
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var jobs = new List<FileJob>();
        foreach (var source in sources)
        {
            var stem = source.Stem;
            for (var n = 2; !taken.Add(stem); n++) stem = $"{source.Stem}-{n}";
            jobs.Add(new FileJob(source, Path.Combine(outputFolder, stem)));
        }

        return jobs;
    }
}
