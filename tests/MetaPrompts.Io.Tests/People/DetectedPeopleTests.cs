using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.People;

namespace MetaPrompts.Io.Tests.People;

public sealed class DetectedPeopleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("detector").FullName;

    private string Onnx => Path.Combine(_folder, "detector.onnx");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BoxesAreThoseOfThePictureWhateverTheSizeOfTheNetwork(bool byRow)
    {
        OnnxFile.RedSquares(Onnx, 64, byRow);
        using var detector = DetectedPeople.Open(Onnx);
        // 128×64 pixels of a source twice as large: the network of 64×64 sees them at half their size, grey below.
        using var frame = Picture(new ImageSize(64, 128), new ImageSize(128, 256), (48, 16, 16), (96, 32, 16));
        var found = detector.Locate(frame, new FramePerception(null, null, null)).OrderBy(box => box.Left).ToList();
        Assert.Equal([new Box(96, 32, 32, 32), new Box(192, 64, 32, 32)], found);
    }

    [Fact]
    public void AnEmptyPictureHoldsNobody()
    {
        OnnxFile.RedSquares(Onnx, 64);
        using var detector = DetectedPeople.Open(Onnx);
        using var frame = Picture(new ImageSize(64, 64), new ImageSize(64, 64));
        Assert.Empty(detector.Locate(frame, new FramePerception(null, null, null)));
    }

    [Fact]
    public void WhatIsNoDetectorIsRefusedBeforeAnythingStarts()
    {
        Assert.Contains("no such file", Assert.Throws<ModelRefusedException>(() => DetectedPeople.Open(Onnx)).Message, StringComparison.Ordinal);
        File.WriteAllText(Onnx, "<html>");
        Assert.Equal(3, Assert.Throws<ModelRefusedException>(() => DetectedPeople.Open(Onnx)).ExitCode);
        OnnxFile.RedSquares(Onnx, 64, answersBoxes: false);
        Assert.Contains("too few for boxes", Assert.Throws<ModelRefusedException>(() => DetectedPeople.Open(Onnx)).Message, StringComparison.Ordinal);
        OnnxFile.RedSquares(Onnx, 64);
        var whole = File.ReadAllBytes(Onnx);
        foreach (var length in new[] { 0, 1, 10, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(Onnx, whole[..length]);
            Assert.DoesNotContain('\n', Assert.Throws<ModelRefusedException>(() => DetectedPeople.Open(Onnx)).Message);
        }
    }

    private static Frame Picture(ImageSize size, ImageSize source, params (int Left, int Top, int Side)[] squares)
    {
        var pixels = new PixelBufferPool(1).TryRent(size)!;
        pixels.Rgb.Clear();
        foreach (var (left, top, side) in squares)
        {
            for (var y = top; y < top + side; y++)
            {
                for (var x = left; x < left + side; x++) pixels.Rgb[((y * size.Width) + x) * 3] = 255;
            }
        }

        return new Frame(new FrameStamp(new StreamId("a"), 0, DateTimeOffset.UnixEpoch, TimeSpan.Zero, source), pixels);
    }
}
