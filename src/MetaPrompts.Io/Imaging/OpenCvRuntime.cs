using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>The OpenCV that does this program's image work.</summary>
public static class OpenCvRuntime
{
    /// <summary>As OpenCV says: <c>4.13.0</c>.</summary>
    /// <exception cref="TypeInitializationException">The native library, or a library it needs, is missing.</exception>
    public static string Version => Cv2.GetVersionString() ?? "unknown";
}
