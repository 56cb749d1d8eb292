using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace MetaPrompts.Training.Reports;

/// <summary>A run's numbers as TensorBoard reads them: TFRecords (length, masked CRC-32C of both) of Event messages with scalar summaries (reference: tensorflow/core/util/event.proto).</summary>
internal sealed class EventFile : IDisposable
{
    private readonly FileStream _file;

    /// <param name="step">Steps already taken; each start of a run has a file of its own, and TensorBoard joins them.</param>
    public EventFile(string folder, int step)
    {
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{DateTimeOffset.UtcNow.ToUnixTimeSeconds():D10}.{step:D7}.metaprompts"));
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        Record(Event(step, text => Text(text, 3, "brain.Event:2")));
    }

    public void Add(TrainingProgress progress)
    {
        Record(Event(progress.Step, message =>
        {
            using var summary = new MemoryStream();
            Scalar(summary, "loss", progress.Loss);
            foreach (var (name, value) in progress.Losses) Scalar(summary, "loss/" + name, value);
            Scalar(summary, "learning_rate", progress.LearningRate);
            Scalar(summary, "gradient_norm", progress.GradientNorm);
            Bytes(message, 5, summary.ToArray());
        }));
        _file.Flush();
    }

    private static byte[] Event(long step, Action<Stream> what)
    {
        using var message = new MemoryStream();
        message.WriteByte(1 << 3 | 1);                                     // wall_time, double
        Span<byte> time = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(time, (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds);
        message.Write(time);
        message.WriteByte(2 << 3);                                         // step, varint
        Varint(message, (ulong)step);
        what(message);
        return message.ToArray();
    }

    private static void Scalar(Stream summary, string tag, double value)
    {
        using var one = new MemoryStream();
        Text(one, 1, tag);
        one.WriteByte(2 << 3 | 5);                                         // simple_value, float
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)value);
        one.Write(bytes);
        Bytes(summary, 1, one.ToArray());
    }

    private void Record(byte[] data)
    {
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Masked(header[..8]));
        Span<byte> footer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(footer, Masked(data));
        _file.Write(header);
        _file.Write(data);
        _file.Write(footer);
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var one in data) crc = BitOperations.Crc32C(crc, one);
        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + 0xa282ead8;
    }

    private static void Text(Stream into, int field, string text) => Bytes(into, field, Encoding.UTF8.GetBytes(text));

    private static void Bytes(Stream into, int field, byte[] bytes)
    {
        Varint(into, (ulong)(field << 3 | 2));
        Varint(into, (ulong)bytes.Length);
        into.Write(bytes);
    }

    private static void Varint(Stream into, ulong value)
    {
        for (; value >= 0x80; value >>= 7) into.WriteByte((byte)(value | 0x80));
        into.WriteByte((byte)value);
    }

    public void Dispose() => _file.Dispose();
}
