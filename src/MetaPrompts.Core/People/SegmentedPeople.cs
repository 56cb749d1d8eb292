using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.People;

/// <summary>Connected patches of the class person, largest first. Two people who touch in the picture are one patch.</summary>
/// <param name="classes">Ids that mean a person.</param>
public sealed class SegmentedPeople(IReadOnlySet<int> classes) : IPersonLocator
{
    /// <summary>A patch of fewer cells, or of less of the map, is noise.</summary>
    private const int LeastCells = 12;

    private const double LeastShare = 0.0005;

    private static readonly string[] Words = ["person", "people", "pedestrian"];

    /// <returns>Null where the classes know no person.</returns>
    public static SegmentedPeople? For(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var found = ClassesOf(manifest);
        return found.Count > 0 ? new SegmentedPeople(found.ToHashSet()) : null;
    }

    /// <returns>Ids of the model's classes that mean a person; none where it says no classes.</returns>
    public static IReadOnlyList<int> ClassesOf(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!manifest.Tasks.Contains(PerceptionTask.Segmentation)) return [];
        return [.. manifest.Classes.Select((c, id) => (c.Name, id)).Where(c => Words.Contains(c.Name, StringComparer.OrdinalIgnoreCase)).Select(c => c.id)];
    }

    /// <returns>Nobody where the frame has no segmentation.</returns>
    public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(seen);
        if (seen.Segmentation is not { } map) return [];
        var (toX, toY) = ((float)frame.Stamp.SourceSize.Width / map.Size.Width, (float)frame.Stamp.SourceSize.Height / map.Size.Height);
        return [.. Patches(map.ClassIds.Span, map.Size).OrderByDescending(p => p.Cells).Select(p => new Box(p.Left * toX, p.Top * toY, (p.Right + 1 - p.Left) * toX, (p.Bottom + 1 - p.Top) * toY))];
    }

    public void Dispose()
    {
    }

    private List<Patch> Patches(ReadOnlySpan<byte> map, ImageSize size)
    {
        var (open, patches, least) = (new bool[map.Length], new List<Patch>(), Math.Max(LeastCells, LeastShare * map.Length));
        for (var i = 0; i < map.Length; i++) open[i] = classes.Contains(map[i]);
        var front = new Stack<int>();
        for (var i = 0; i < open.Length; i++)
        {
            if (!open[i]) continue;
            var patch = new Patch(0, size.Width, size.Height, -1, -1);
            open[i] = false;
            front.Push(i);
            while (front.TryPop(out var at))
            {
                var (x, y) = (at % size.Width, at / size.Width);
                patch = new Patch(patch.Cells + 1, Math.Min(patch.Left, x), Math.Min(patch.Top, y), Math.Max(patch.Right, x), Math.Max(patch.Bottom, y));
                for (var ny = Math.Max(0, y - 1); ny <= Math.Min(size.Height - 1, y + 1); ny++)
                {
                    for (var nx = Math.Max(0, x - 1); nx <= Math.Min(size.Width - 1, x + 1); nx++)
                    {
                        var next = (ny * size.Width) + nx;
                        if (!open[next]) continue;
                        open[next] = false;
                        front.Push(next);
                    }
                }
            }

            if (patch.Cells >= least) patches.Add(patch);
        }

        return patches;
    }

    private readonly record struct Patch(int Cells, int Left, int Top, int Right, int Bottom);
}
