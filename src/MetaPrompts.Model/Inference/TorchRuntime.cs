using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Settings of the tensor library that must be made before its first call.</summary>
public static partial class TorchRuntime
{
    private static readonly Lock _once = new();
    private static bool _prepared;

    /// <summary>Threads the library computes with.</summary>
    public static int Threads { get; private set; }

    /// <summary>Of libtorch: <c>2.10.0</c>.</summary>
    public static string Version => __version__;

    /// <summary>Tensors alive in this process.</summary>
    public static long LiveTensors => Tensor.TotalCount;

    /// <summary>CUDA devices that this build of libtorch can use.</summary>
    public static int CudaDevices => cuda.is_available() ? cuda.device_count() : 0;

    /// <summary>
    /// Lets waiting OpenMP threads sleep (spinning ones slow a shared machine several times over, measured) and takes no more threads than the process may use.
    /// The framework's own environment does not reach native code, so libc is asked.
    /// </summary>
    public static void Prepare()
    {
        lock (_once)
        {
            if (_prepared) return;
            _prepared = true;
            if (OperatingSystem.IsLinux()) _ = SetEnvironment("OMP_WAIT_POLICY", "passive", 1);
            // The framework reads the cgroup's quota into the processor count.
            Threads = int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), out var asked) && asked > 0 ? asked : Environment.ProcessorCount;
            set_num_threads(Threads);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
