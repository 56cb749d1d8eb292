using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Settings of the tensor library that must be made before its first call.</summary>
public static partial class TorchRuntime
{
    private static readonly Lock _once = new();
    private static bool _prepared;

    /// <summary>Threads this process may compute with.</summary>
    public static int Threads { get; private set; } = 1;

    /// <summary>Of libtorch: <c>2.10.0</c>.</summary>
    public static string Version => __version__;

    /// <summary>Tensors alive in this process.</summary>
    public static long LiveTensors => Tensor.TotalCount;

    /// <summary>CUDA devices that this build of libtorch can use.</summary>
    public static int CudaDevices => cuda.is_available() ? cuda.device_count() : 0;

    /// <summary>
    /// Lets OpenMP threads that wait sleep after a short while: spinning on, they slow a shared machine several times over; asleep at once, they make every short operation wait for a wake-up,
    /// which doubled the time of a small network (measured). Takes no more threads than the process may use. What the user has set in the environment stands.
    /// The framework's own environment does not reach native code, so libc is asked.
    /// </summary>
    public static void Prepare()
    {
        lock (_once)
        {
            if (_prepared) return;
            _prepared = true;
            if (OperatingSystem.IsLinux())
            {
                _ = SetEnvironment("OMP_WAIT_POLICY", "passive", 0);
                _ = SetEnvironment("GOMP_SPINCOUNT", "10000", 0);
                // Weights and maps of the published size are read through many pages: libtorch asks for large ones where the system gives them on request.
                _ = SetEnvironment("THP_MEM_ALLOC_ENABLE", "1", 0);
            }
            // The framework reads the cgroup's quota into the processor count.
            Threads = int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), out var asked) && asked > 0 ? asked : Environment.ProcessorCount;
            set_num_threads(Threads);
        }
    }

    /// <summary>Divides the threads among calls that run side by side.</summary>
    internal static void Share(int lanes) => set_num_threads(Math.Max(1, Threads / lanes));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
