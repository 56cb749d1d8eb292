using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// What TorchSharp does not bind, through libtorch's C interface (torch/csrc/inductor/aoti_torch/c): a convolution with weights in oneDNN's own order and a ReLU behind it, a product of matrices with such
/// weights, memory for maps with channels innermost, and the address of a tensor's memory whatever its strides. Tried once at start-up; where a symbol is missing or the result differs, <see cref="Usable"/> is false and nobody calls.
/// </summary>
internal static unsafe partial class OneDnn
{
    private const string Library = "libtorch_cpu.so";
    private static readonly Lazy<bool> _usable = new(Try);
    private static readonly byte* _none = (byte*)Marshal.StringToCoTaskMemUTF8("none"), _relu = (byte*)Marshal.StringToCoTaskMemUTF8("relu");

    public static bool Usable => _usable.Value;

    /// <param name="x">[B, Cin, H, W], borrowed like all others.</param>
    /// <param name="packed">From <see cref="Pack"/>.</param>
    /// <param name="bias">[C] or null.</param>
    /// <returns>[B, C, h, w], channels innermost; the caller's.</returns>
    /// <exception cref="InvalidOperationException">libtorch refused; its reason is on standard error.</exception>
    public static Tensor Convolution(Tensor x, Tensor packed, Tensor? bias, long stride, long padding, bool relu)
    {
        long* strides = stackalloc long[2] { stride, stride }, paddings = stackalloc long[2] { padding, padding }, dilations = stackalloc long[2] { 1, 1 };
        nint ofBias = bias?.Handle ?? 0, result = 0;
        Check(ConvolutionPointwise(x.Handle, packed.Handle, bias is null ? null : &ofBias, paddings, 2, strides, 2, dilations, 2, 1, relu ? _relu : _none, null, 0, null, &result), "convolution");
        var y = Tensor.UnsafeCreateTensor(result);
        GC.KeepAlive(x);
        GC.KeepAlive(packed);
        GC.KeepAlive(bias);
        return y;
    }

    /// <summary>Weights in the order oneDNN prefers for inputs of about this shape; right for any.</summary>
    /// <param name="weight">[C, Cin, k, k], borrowed.</param>
    /// <returns>An opaque tensor for <see cref="Convolution"/>, the caller's.</returns>
    public static Tensor Pack(Tensor weight, long stride, long padding, long height, long width)
    {
        Check(NewHandle(weight.Handle, out var handle), "handle");
        // The callee takes every handle and frees the optional's slot, as C++ does.
        var input = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *input = List(1, weight.size(1), height, width);
        ulong* stack = stackalloc ulong[6] { (ulong)handle, List(padding, padding), List(stride, stride), List(1, 1), 1, (ulong)input };
        Check(CallDispatcher("mkldnn::_reorder_convolution_weight", "", stack, AbiVersion()), "weight order");
        GC.KeepAlive(weight);
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    /// <param name="x">[.., Cin], borrowed like all others.</param>
    /// <param name="packed">From <see cref="PackLinear"/>.</param>
    /// <param name="bias">[C] or null.</param>
    /// <returns>[.., C], the caller's.</returns>
    /// <exception cref="InvalidOperationException">libtorch refused; its reason is on standard error.</exception>
    public static Tensor Linear(Tensor x, Tensor packed, Tensor? bias)
    {
        nint ofBias = bias?.Handle ?? 0, result = 0;
        Check(LinearPointwise(x.Handle, packed.Handle, bias is null ? null : &ofBias, _none, null, 0, null, &result), "product");
        var y = Tensor.UnsafeCreateTensor(result);
        GC.KeepAlive(x);
        GC.KeepAlive(packed);
        GC.KeepAlive(bias);
        return y;
    }

    /// <summary>A matrix in the order oneDNN prefers for about this many rows of the other; right for any.</summary>
    /// <param name="weight">[C, Cin], borrowed.</param>
    /// <returns>An opaque tensor for <see cref="Linear"/>, the caller's.</returns>
    public static Tensor PackLinear(Tensor weight, long rows)
    {
        Check(NewHandle(weight.Handle, out var handle), "handle");
        var count = (ulong*)NativeMemory.Alloc(sizeof(ulong));                  // as in Pack
        *count = (ulong)rows;
        ulong* stack = stackalloc ulong[2] { (ulong)handle, (ulong)count };
        Check(CallDispatcher("mkldnn::_reorder_linear_weight", "", stack, AbiVersion()), "matrix order");
        GC.KeepAlive(weight);
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    /// <returns>[B, C, H, W] in float32 and main memory, channels innermost, of any values; the caller's.</returns>
    public static Tensor Maps(long batch, long channels, long height, long width)
    {
        long* sizes = stackalloc long[4] { batch, channels, height, width }, strides = stackalloc long[4] { height * width * channels, 1, width * channels, channels };
        return Empty(4, sizes, strides);
    }

    /// <param name="like">[.., n].</param>
    /// <returns>[.., <paramref name="columns"/>] in float32 and main memory, dense, of any values; the caller's.</returns>
    public static Tensor Rows(Tensor like, long columns)
    {
        var dimensions = (int)like.dim();
        long* sizes = stackalloc long[dimensions], strides = stackalloc long[dimensions];
        var stride = 1L;
        for (var i = dimensions - 1; i >= 0; i--)
        {
            sizes[i] = i == dimensions - 1 ? columns : like.size(i);
            strides[i] = stride;
            stride *= sizes[i];
        }
        return Empty(dimensions, sizes, strides);
    }

    private static Tensor Empty(long dimensions, long* sizes, long* strides)
    {
        const int Float32 = 6, Cpu = 0;
        Check(EmptyStrided(dimensions, sizes, strides, Float32, Cpu, 0, out var handle), "memory");
        return Tensor.UnsafeCreateTensor(handle);
    }

    /// <summary>Address of the first element; valid while the tensor lives.</summary>
    public static void* Data(Tensor tensor)
    {
        Check(DataPointer(tensor.Handle, out var address), "address");
        return (void*)address;
    }

    private static ulong List(params ReadOnlySpan<long> values)
    {
        Check(NewList((ulong)values.Length, out var list), "list");
        foreach (var value in values) Check(PushBack(list, (ulong)value), "list");
        return (ulong)list;
    }

    private static void Check(int code, string what)
    {
        if (code != 0) throw new InvalidOperationException($"oneDNN {what} failed with code {code}");
    }

    private static bool Try()
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            using var scope = NewDisposeScope();
            using var none = no_grad();
            // Small whole numbers: every order of summing gives the same bits.
            var x = arange(2 * 16 * 5 * 6, ScalarType.Float32).remainder(7).reshape(2, 16, 5, 6);
            var weight = arange(32 * 16 * 9, ScalarType.Float32).remainder(5).sub(2).reshape(32, 16, 3, 3);
            var bias = arange(32, ScalarType.Float32).sub(16);
            var plain = functional.relu(functional.conv2d(x, weight, bias, padding: [1L, 1L]));
            var direct = Convolution(ChannelsLast.Of(x), Pack(weight, 1, 1, 5, 6), bias, 1, 1, relu: true);
            var tokens = x.reshape(4, 240);
            var matrix = weight.flatten()[..(19 * 240)].reshape(19, 240);
            var same = functional.linear(tokens, matrix, bias[..19]).eq(Linear(tokens, PackLinear(matrix, 4), bias[..19]));
            return plain.eq(direct).all().ToBoolean() && same.all().ToBoolean() && *(float*)Data(bias) == -16 && Maps(1, 2, 3, 4).stride(1) == 1;
        }
        catch (Exception problem) when (problem is DllNotFoundException or EntryPointNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }

    [LibraryImport(Library, EntryPoint = "aoti_torch_cpu_mkldnn__convolution_pointwise")]
    private static partial int ConvolutionPointwise(nint x, nint weight, nint* bias, long* padding, long paddings, long* stride, long strides, long* dilation, long dilations, long groups,
        byte* attribute, double** scalars, long scalarCount, byte** algorithm, nint* result);

    [LibraryImport(Library, EntryPoint = "aoti_torch_cpu__linear_pointwise")]
    private static partial int LinearPointwise(nint x, nint weight, nint* bias, byte* attribute, double** scalars, long scalarCount, byte** algorithm, nint* result);

    [LibraryImport(Library, EntryPoint = "aoti_torch_empty_strided")]
    private static partial int EmptyStrided(long dimensions, long* sizes, long* strides, int type, int device, int index, out nint tensor);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint tensor, out nint handle);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_data_ptr")]
    private static partial int DataPointer(nint tensor, out nint address);

    [LibraryImport(Library, EntryPoint = "aoti_torch_abi_version")]
    private static partial ulong AbiVersion();

    [LibraryImport(Library, EntryPoint = "torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallDispatcher(string name, string overload, ulong* stack, ulong abi);

    [LibraryImport(Library, EntryPoint = "torch_new_list_reserve_size")]
    private static partial int NewList(ulong size, out nint list);

    [LibraryImport(Library, EntryPoint = "torch_list_push_back")]
    private static partial int PushBack(nint list, ulong value);
}
