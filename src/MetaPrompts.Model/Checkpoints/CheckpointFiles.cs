using System.Buffers.Binary;
using System.Text;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>A path → the reader for what lies there. The content decides, not the ending of the name.</summary>
public static class CheckpointFiles
{
    private const int LongestSignature = 512;

    /// <param name="path">A weight file (.pth, .pt, .ckpt, .bin, .safetensors), an index of shards (.json), or a folder: of shards, or of diffusers (unet, vae).</param>
    /// <returns>The caller's.</returns>
    /// <exception cref="CheckpointFormatException">There is nothing, or nothing that is known here.</exception>
    public static ICheckpointReader Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) return OpenFolder(path);
        if (path.EndsWith(".index.json", StringComparison.Ordinal)) return new ShardedReader(path);
        var file = TensorStream.Open(path);
        try
        {
            var first = new byte[LongestSignature];
            var length = file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            var start = first.AsSpan(0, length);
            if (start.StartsWith("PK"u8) || TorchLegacyFile.Begins(file)) return new TorchFileReader(file, path);
            // By its name where its header is no longer than none could be: the reader says what is wrong with it.
            if (length >= 9 && start[8] == (byte)'{' && (BinaryPrimitives.ReadUInt64LittleEndian(start) <= SafetensorsFormat.LongestHeader || path.EndsWith(".safetensors", StringComparison.Ordinal))) return new SafetensorsReader(file, path);
            throw new CheckpointFormatException(path, $"is no weight file known here: {Guess(start, path)}; known are PyTorch's .pth, .pt and .ckpt, .safetensors, and folders of diffusers");
        }
        catch (IOException problem)
        {
            file.Dispose();
            throw new CheckpointFormatException(path, $"cannot be read ({problem.Message})", problem);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ICheckpointReader OpenFolder(string folder)
    {
        string[] parts = ["unet", "vae"];
        if (parts.All(part => Directory.Exists(Path.Combine(folder, part)))) return OpenParts(folder, parts);
        // Of several files with the same weights the safest format and the highest precision come first.
        string[] names =
        [
            "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.bin", "diffusion_pytorch_model.fp16.safetensors",
            "diffusion_pytorch_model.fp16.bin", "model.safetensors", "model.safetensors.index.json",
        ];
        if (names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } known) return Open(known);
        var indexes = Directory.GetFiles(folder, "*.index.json");
        return indexes is [var only]
            ? Open(only)
            : throw new CheckpointFormatException(folder, "is a folder without weights known here; diffusers folders hold unet/ and vae/, sharded ones an .index.json");
    }

    private static PartsReader OpenParts(string folder, string[] parts)
    {
        var open = new List<(string, ICheckpointReader)>();
        try
        {
            foreach (var part in parts) open.Add((part, OpenFolder(Path.Combine(folder, part))));
            return new PartsReader(folder, open);
        }
        catch
        {
            foreach (var (_, reader) in open) reader.Dispose();
            throw;
        }
    }

    private static string Guess(ReadOnlySpan<byte> start, string path)
    {
        if (start.Length == 0) return "it is empty";
        if (start.Length > 262 && Encoding.Latin1.GetString(start.Slice(257, 5)) == "ustar") return "a tar archive (PyTorch before 0.1.10, or several files); unpack it, or save it again in Python";
        if (start[0] == 0x80) return "a bare pickle, which torch.save does not write";
        if (start.StartsWith("version https://git-lfs"u8)) return "a pointer of git-lfs; fetch the file itself with git lfs pull";
        if (start[0] == (byte)'<') return "a web page; the download went wrong";
        return $"{Limits.Short(Path.GetFileName(path))} begins with {Convert.ToHexStringLower(start[..Math.Min(8, start.Length)])}";
    }
}
