using System.Runtime.InteropServices;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// Memory for weights, side by side in large pages where the system gives them: a frame reads all of them once, and of pages of 4 KiB no processor remembers so many (layers of few places: 0.65 to 0.9 of the time).
/// Pieces come from one block until it is full; a block goes back when the last piece of it does. Any thread may.
/// </summary>
internal sealed unsafe partial class WeightMemory : IDisposable
{
    private const nuint LargePage = 1 << 21, Line = 64;
    private static readonly Lock _taking = new();
    private static Block? _current;
    private Block? _block;

    /// <param name="floats">Of any values.</param>
    public WeightMemory(long floats)
    {
        var bytes = ((nuint)floats * sizeof(float) + Line - 1) / Line * Line;
        lock (_taking)
        {
            if (_current is null || _current.Size - _current.Used < bytes)
            {
                var full = _current;
                _current = new Block(Math.Max(2 * LargePage, (bytes + LargePage - 1) / LargePage * LargePage));
                full?.Leave();
            }
            _block = _current;
            _block.Pieces++;
            Data = (float*)(_block.Start + _block.Used);
            _block.Used += bytes;
        }
    }

    public float* Data { get; }

    public void Dispose()
    {
        lock (_taking)
        {
            _block?.Leave();
            _block = null;
        }
    }

    private sealed class Block
    {
        private const int HugePages = 14;                                  // MADV_HUGEPAGE

        public Block(nuint size)
        {
            Size = size;
            Start = (byte*)NativeMemory.AlignedAlloc(size, LargePage);
            // Refused, the pages are small ones.
            if (OperatingSystem.IsLinux()) _ = Advise(Start, size, HugePages);
        }

        public byte* Start { get; }

        public nuint Size { get; }

        public nuint Used { get; set; }

        /// <summary>And one while pieces are taken from it.</summary>
        public int Pieces { get; set; } = 1;

        public void Leave()
        {
            if (--Pieces == 0) NativeMemory.AlignedFree(Start);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}
