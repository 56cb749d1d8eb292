using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>
/// Networks that know their shapes and have no memory yet: made in a moment, converted to a type for nothing, and given memory tensor by tensor as they are loaded. A
/// network of 0.9 billion parameters would otherwise be filled with random numbers first, and exist in two types at once.
/// </summary>
public static partial class UnfilledNetwork
{
    private const string Library = "libtorch_cpu.so";

    /// <summary>The binding has no call that gives a tensor memory; libtorch's C interface has, under this name on Linux.</summary>
    public static bool Supported => OperatingSystem.IsLinux();

    /// <summary>Makes a network without memory; where that is not supported, an ordinary one. To be filled completely by <see cref="CheckpointLoader.Load(Module, ICheckpointReader, KeyMap, string)"/>.</summary>
    /// <param name="build">May make tensors of its own; no other thread may meanwhile: the default device belongs to the process.</param>
    public static T Build<T>(Func<T> build) where T : Module
    {
        ArgumentNullException.ThrowIfNull(build);
        if (!Supported) return build();
        var before = get_default_device();
        try
        {
            set_default_device(META);
            return build();
        }
        finally
        {
            set_default_device(before);
        }
    }

    /// <summary>Memory of the tensor's own shape and type on the CPU, not initialised; a tensor that has some keeps it.</summary>
    internal static void GiveMemory(Tensor target)
    {
        if (target.device_type != DeviceType.META) return;
        using var memory = empty(target.shape, target.dtype, device: CPU, requires_grad: target.requires_grad);
        // The library is loaded already, by the binding.
        var failed = Assign(memory.Handle, target.Handle);
        if (failed != 0) throw new InvalidOperationException($"libtorch did not give a tensor of [{string.Join(", ", target.shape)}] its memory ({failed})");
    }

    [LibraryImport(Library, EntryPoint = "aoti_torch_assign_tensors")]
    private static partial int Assign(IntPtr source, IntPtr target);
}
