using MetaPrompts.Core.Errors;

namespace MetaPrompts.Io.Sinks;

/// <summary>Files of a sink: temporary names, and the system's errors in words a user can act on.</summary>
public static class SinkFiles
{
    /// <summary>Where a file is written before it is complete.</summary>
    public static string Temporary(string path) => path + ".partial";

    /// <summary>Runs <paramref name="write"/>; an error of the file system becomes one clear line.</summary>
    public static void Guard(string path, Action write) => Guard<object?>(path, () =>
    {
        write();
        return null;
    });

    /// <summary>The same, for what returns something.</summary>
    /// <exception cref="SinkFailedException">With path and cause.</exception>
    public static T Guard<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkFailedException(path, Explain(e), e);
        }
    }

    /// <summary>The same, asynchronously; a program that cannot be started, or cannot read what was written, has failed the sink, too.</summary>
    public static async Task GuardAsync(string path, Func<Task> write)
    {
        try
        {
            await write().ConfigureAwait(false);
        }
        catch (SourceLostException e)
        {
            throw new SinkFailedException(path, e.Problem, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkFailedException(path, Explain(e), e);
        }
    }

    /// <summary>Creates the folder of <paramref name="path"/> and proves that a file can be written there.</summary>
    public static void RequireWritable(string path) => Guard(path, () =>
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var trial = Path.Combine(folder, $".{Guid.NewGuid():N}.partial");
        using (new FileStream(trial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
        {
        }
    });

    private static string Explain(Exception e) => e switch
    {
        UnauthorizedAccessException => "permission denied; choose a folder you may write to",
        DirectoryNotFoundException => "its folder does not exist and could not be made; check the path",
        _ when e.Message.Contains("No space left", StringComparison.Ordinal) => "the disk is full; free some space and run again with --resume",
        _ when e.Message.Contains("Read-only file system", StringComparison.Ordinal) => "the file system is read-only; choose another folder",
        _ => $"{e.Message.ReplaceLineEndings(" ").TrimEnd('.')}; check the disk and the path",
    };
}
