using System.Security.Cryptography;
using System.Text;

namespace MetaPrompts.Cli.Jobs;

/// <summary>SHA-256 of an input: which file a result came from.</summary>
internal static class InputHash
{
    /// <summary>Of one file; of several, of what <c>sha256sum</c> prints for them in their folder, in the order they are read; null of none.</summary>
    public static async Task<string?> OfAsync(IReadOnlyList<string> files, CancellationToken stop)
    {
        if (files.Count == 0) return null;
        if (files.Count == 1) return await OfFileAsync(files[0], stop).ConfigureAwait(false);
        var list = new StringBuilder();
        foreach (var file in files) list.Append(await OfFileAsync(file, stop).ConfigureAwait(false)).Append("  ").Append(Path.GetFileName(file)).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(list.ToString())));
    }

    private static async Task<string> OfFileAsync(string path, CancellationToken stop)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (file.ConfigureAwait(false)) return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, stop).ConfigureAwait(false));
    }
}
