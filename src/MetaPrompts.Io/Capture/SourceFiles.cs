using MetaPrompts.Core.Errors;

namespace MetaPrompts.Io.Capture;

/// <summary>What can be said of a file before anyone decodes it.</summary>
internal static class SourceFiles
{
    /// <exception cref="SourceLostException">Missing, a folder, empty, or not readable.</exception>
    public static void RequireReadable(string path)
    {
        if (Directory.Exists(path)) throw new SourceLostException(path, "is a folder, not a file");
        if (!File.Exists(path)) throw new SourceLostException(path, "does not exist; check the path");
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.CanSeek && file.Length == 0) throw new SourceLostException(path, "is empty (0 bytes); copy it again");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SourceLostException(path, "permission denied; check the rights of the file and its folder", e);
        }
        catch (IOException e)
        {
            throw new SourceLostException(path, $"cannot be read: {e.Message}", e);
        }
    }
}
