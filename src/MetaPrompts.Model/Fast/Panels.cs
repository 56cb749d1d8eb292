using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>Weights in the order <see cref="TileKernel"/> reads them. Owns them.</summary>
internal sealed unsafe class Panels : IDisposable
{
    private readonly WeightMemory _memory;

    /// <param name="weight">[columns, depth, taps] in float32, borrowed.</param>
    public Panels(Tensor weight)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        (Columns, Depth, Taps) = ((int)weight.size(0), (int)weight.size(1), (int)weight.size(2));
        var width = 2 * Vector;
        Count = (Columns + width - 1) / width;
        var filled = functional.pad(weight, [0, 0, 0, 0, 0, Count * width - Columns]);
        var panels = filled.reshape(Count, width, Depth, Taps).permute(0, 3, 2, 1).contiguous();        // [panels, taps, depth, 2 vectors]
        _memory = new WeightMemory(panels.numel());
        Buffer.MemoryCopy(OneDnn.Data(panels), _memory.Data, panels.numel() * sizeof(float), panels.numel() * sizeof(float));
    }

    /// <summary>Where the kernels are worth calling. With AVX-512 oneDNN's use it and these were not measured.</summary>
    public static bool Usable => Fma.IsSupported && Vector256.IsHardwareAccelerated && !Avx512F.IsSupported;

    /// <summary>Floats of a vector.</summary>
    public static int Vector => Wide256.Count;

    public int Columns { get; }

    /// <summary>Columns with those that only fill the last panel.</summary>
    public int Filled => Count * 2 * Vector;

    public int Depth { get; }

    public int Taps { get; }

    private int Count { get; }

    /// <inheritdoc cref="TileKernel.Run"/>
    public void Run(float* x, Places places, int* taps, float* bias, float* add, bool relu, float* y, bool filled = false) =>
        TileKernel.Run<Wide256>(x, places, taps, Taps, Depth, _memory.Data, filled ? Filled : Columns, bias, add, relu, y);

    public void Dispose() => _memory.Dispose();
}
