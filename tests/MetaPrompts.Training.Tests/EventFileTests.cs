using System.Text;

namespace MetaPrompts.Training.Tests;

[Collection(OneAtATime.Name)]
public sealed class EventFileTests
{
    [Fact]
    public void ARunLeavesEventsThatTensorBoardReads()
    {
        var folder = Directory.CreateTempSubdirectory("events-").FullName;
        try
        {
            var steps = new TrainingRun(TinyRecipe.Of(2), folder).Run(null, default).ToList();
            var records = Records(File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder, "events.out.tfevents.*"))));
            Assert.Equal(3, records.Count);
            Assert.Contains("brain.Event:2", Encoding.UTF8.GetString(records[0]), StringComparison.Ordinal);
            // tag "loss" (field 1 of 4 bytes), then simple_value (field 2, fixed32).
            byte[] tag = [10, 4, .. "loss"u8, 21];
            foreach (var (record, step) in records.Skip(1).Zip(steps))
            {
                Assert.Equal(step.Step, record[10]);
                var at = record.AsSpan().IndexOf(tag);
                Assert.Equal((float)step.Loss, BitConverter.ToSingle(record, at + tag.Length));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Payloads, after their lengths and checksums have been checked with a table made from the polynomial.</summary>
    private static List<byte[]> Records(byte[] file)
    {
        var records = new List<byte[]>();
        for (var at = 0; at < file.Length;)
        {
            var length = (int)BitConverter.ToUInt64(file, at);
            Assert.Equal(Masked(file.AsSpan(at, 8)), BitConverter.ToUInt32(file, at + 8));
            Assert.Equal(Masked(file.AsSpan(at + 12, length)), BitConverter.ToUInt32(file, at + 12 + length));
            records.Add(file[(at + 12)..(at + 12 + length)]);
            at += 16 + length;
        }
        return records;
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var one in data)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
        }
        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8);
    }
}
