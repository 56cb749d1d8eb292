using Microsoft.Win32.SafeHandles;

namespace MetaPrompts.Cli.Display;

/// <summary>stdout for what goes on for long. .NET's console stream passes over it in silence where a pipe's reader has gone, as after <c>| head</c>: a camera would be computed for nobody.</summary>
internal static class StandardOutput
{
    /// <returns>Unbuffered; writing throws <see cref="IOException"/> where nobody reads any more.</returns>
    public static Stream Open()
    {
        if (OperatingSystem.IsWindows()) return Console.OpenStandardOutput();
        var own = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        // A file remembers where it is written to: two writers would each go by their own place.
        return own.CanSeek ? Console.OpenStandardOutput() : own;
    }
}
