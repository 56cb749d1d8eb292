using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>What the layouts of data sets have in common: folders that may be named in several ways, lists, pictures and maps that belong together.</summary>
internal static class SetFiles
{
    /// <summary>The first of some folders that exists.</summary>
    /// <exception cref="SourceLostException">None does; the first is named.</exception>
    public static string Folder(string root, params string[] candidates)
    {
        if (!Directory.Exists(root)) throw new SourceLostException(root, File.Exists(root) ? "is a file, not the folder of a data set; give its folder" : "does not exist; give the folder of the data set");
        var paths = candidates.Select(candidate => candidate.Length == 0 ? root : Path.Combine(root, candidate)).ToList();
        return paths.FirstOrDefault(Directory.Exists) ?? throw new SourceLostException(paths[0], $"does not exist{Others(candidates)}; give the folder of the data set as it is unpacked");
    }

    /// <summary>The first of some files that exists, or null.</summary>
    public static string? FirstFile(string root, params string[] candidates) => candidates.Select(candidate => Path.Combine(root, candidate)).FirstOrDefault(File.Exists);

    /// <summary>Pictures of a folder and of those within it, in natural order.</summary>
    /// <exception cref="SourceLostException">There are none.</exception>
    public static List<string> Pictures(string folder, Func<string, bool>? wanted = null)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => ImageHeader.Extensions.Contains(Path.GetExtension(file)) && (wanted?.Invoke(file) ?? true))
            .Order(NaturalOrder.Instance).ToList();
        return files.Count > 0 ? files : throw new SourceLostException(folder, "holds no picture of the data set; check that it is unpacked");
    }

    /// <summary>Words of each line that has any.</summary>
    /// <exception cref="SourceLostException">The list is empty, or one of its lines has fewer words than are needed.</exception>
    public static List<string[]> List(string path, int words)
    {
        var lines = new List<string[]>();
        foreach (var line in File.ReadLines(path))
        {
            var parts = line.Split((char[])[' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0) continue;
            if (parts.Length < words) throw new SourceLostException(path, $"'{Short(line)}' names {parts.Length} of {words} files; give the list of this data set");
            lines.Add(parts);
        }
        return lines.Count > 0 ? lines : throw new SourceLostException(path, "names no picture; give the list of this data set");
    }

    /// <summary>A file named by a list: under one of the bases, or null.</summary>
    public static string? Under(string root, string named, IEnumerable<string> bases)
    {
        // A leading slash in these lists means the root of the data set; nothing may lead out of it.
        var relative = named.TrimStart('/', '\\').Replace('\\', '/');
        if (relative.Split('/').Contains("..")) throw new SourceLostException(named, "leads out of the data set; correct the list");
        return bases.Select(folder => Path.Combine(root, folder, relative)).FirstOrDefault(File.Exists);
    }

    /// <returns>[H, W, 3], the caller's.</returns>
    public static (byte[] Rgb, ImageSize Size) Rgb(string path)
    {
        var (pixels, size) = ImageReader.Read(path);
        using (pixels) return (pixels.Rgb.ToArray(), size);
    }

    /// <exception cref="SourceLostException">A map is not of its picture's size.</exception>
    public static void RequireSameSize(string map, ImageSize size, string picture, ImageSize expected)
    {
        if (size != expected) throw new SourceLostException(map, $"is {size}, its picture {Path.GetFileName(picture)} is {expected}; they do not belong together");
    }

    private static string Short(string line) => line.Length <= 60 ? line : line[..60] + "…";

    private static string Others(string[] candidates) => candidates.Length < 2 ? "" : $" (nor {string.Join(", ", candidates.Skip(1).Select(candidate => candidate.Length == 0 ? "its files beside it" : candidate))})";
}
