using System.Runtime.InteropServices;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>The OpenCV that does this program's image work.</summary>
public static partial class OpenCvRuntime
{
    /// <summary>As OpenCV says: <c>4.13.0</c>.</summary>
    /// <exception cref="TypeInitializationException">The native library, or a library it needs, is missing.</exception>
    public static string Version => Cv2.GetVersionString() ?? "unknown";

    /// <summary>
    /// To be called before anything else of OpenCV. Its IPP routines ask the processor what it is at every call; in a virtual machine each such question is a trap to the host, which took a third of
    /// the time of drawing (measured). OpenCV's own routines are as fast. What it logs
    /// of a damaged picture is ours to say, in one line. What the user has set in the environment stands.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsLinux()) return;
        _ = SetEnvironment("OPENCV_IPP", "disabled", 0);
        _ = SetEnvironment("OPENCV_LOG_LEVEL", "FATAL", 0);
    }

    /// <summary>The framework's own environment does not reach native code.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
