using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MetaPrompts.Model.Checkpoints.Pickle;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Writes a state dict as <c>torch.save</c> does, for use in Python; under a temporary name, renamed when it is whole.</summary>
public static class TorchFileWriter
{
    private const string Root = "archive";

    /// <param name="tensors">In the order of the state dict; names of one storage share it in the file too.</param>
    /// <param name="wrapper">The key that holds the state dict: <c>model</c> or <c>state_dict</c>; null leaves it bare.</param>
    public static void Write(string path, IReadOnlyList<TensorSource> tensors, string? wrapper)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var temporary = path + ".part";
        using (var file = File.Create(temporary))
        {
            using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
            {
                var storages = tensors.DistinctBy(tensor => tensor.Storage).ToList();
                var keys = storages.Select((tensor, i) => (tensor.Storage, Key: $"{i}")).ToDictionary(one => one.Storage, one => one.Key);
                Entry(archive, "data.pkl", stream => stream.Write(Describe(tensors, keys, wrapper)));
                Entry(archive, "byteorder", stream => stream.Write("little"u8));
                foreach (var tensor in storages) Entry(archive, $"data/{keys[tensor.Storage]}", stream => tensor.CopyTo(stream, tensor.Dtype));
                Entry(archive, "version", stream => stream.Write("3\n"u8));
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static void Entry(ZipArchive archive, string name, Action<Stream> write)
    {
        using var stream = archive.CreateEntry($"{Root}/{name}", CompressionLevel.NoCompression).Open();
        write(stream);
    }

    private static byte[] Describe(IReadOnlyList<TensorSource> tensors, Dictionary<object, string> keys, string? wrapper)
    {
        using var buffer = new MemoryStream();
        var pickle = new Writer(buffer);
        pickle.Op(PickleOp.Proto);
        buffer.WriteByte(2);
        if (wrapper is not null)
        {
            pickle.Op(PickleOp.EmptyDict);
            pickle.Text(wrapper);
        }
        pickle.OrderedDict();
        pickle.Op(PickleOp.Mark);
        foreach (var tensor in tensors)
        {
            pickle.Text(tensor.Name);
            pickle.Tensor(tensor, keys[tensor.Storage]);
        }
        pickle.Op(PickleOp.SetItems);
        if (wrapper is not null) pickle.Op(PickleOp.SetItem);
        pickle.Op(PickleOp.Stop);
        return buffer.ToArray();
    }

    /// <summary>Protocol 2, without a memo.</summary>
    private sealed class Writer(MemoryStream to)
    {
        public void Op(PickleOp op) => to.WriteByte((byte)op);

        public void OrderedDict()
        {
            Global("collections", "OrderedDict");
            Op(PickleOp.EmptyTuple);
            Op(PickleOp.Reduce);
        }

        public void Tensor(TensorSource tensor, string key)
        {
            Global("torch._utils", "_rebuild_tensor_v2");
            Op(PickleOp.Mark);
            Op(PickleOp.Mark);
            Text("storage");
            Global("torch", ElementTypes.Names(tensor.Dtype).Storage);
            Text(key);
            Text("cpu");
            Number(tensor.Count);
            Op(PickleOp.Tuple);
            Op(PickleOp.BinPersId);
            Number(0);
            Numbers(tensor.Shape);
            Numbers([.. tensor.Shape.Select((_, i) => tensor.Shape.Skip(i + 1).Aggregate(1L, (product, dim) => product * Math.Max(1, dim)))]);
            Op(PickleOp.NewFalse);
            OrderedDict();
            Op(PickleOp.Tuple);
            Op(PickleOp.Reduce);
        }

        public void Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Op(PickleOp.BinUnicode);
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            to.Write(length);
            to.Write(bytes);
        }

        private void Global(string module, string name)
        {
            Op(PickleOp.Global);
            to.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
        }

        private void Numbers(IReadOnlyList<long> numbers)
        {
            Op(PickleOp.Mark);
            foreach (var number in numbers) Number(number);
            Op(PickleOp.Tuple);
        }

        private void Number(long number)
        {
            Op(PickleOp.Long1);
            to.WriteByte(8);
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
            to.Write(bytes);
        }
    }
}
