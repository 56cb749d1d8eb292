using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Inference.Protocols;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference.Protocols;

/// <summary>With a network that is a formula: what goes through it, and what comes out.</summary>
public sealed class MultiScaleSegmentationTests
{
    /// <summary>Two classes: brightness, and red.</summary>
    private static Tensor Formula(Tensor image) => cat([image.mean([1], keepdim: true) * 3, image.narrow(1, 0, 1)], 1);

    /// <summary>Noise of the test's own: torch's generator belongs to everybody.</summary>
    private static Tensor Picture(int height, int width)
    {
        var bytes = new byte[3 * height * width];
        new Random(5).NextBytes(bytes);
        return tensor(bytes).reshape(1, 3, height, width).to(ScalarType.Float32);
    }

    [Theory]
    [InlineData("segmentation-ade20k", 480, 640, 1, 512, 683)]
    [InlineData("segmentation-ade20k", 300, 2000, 1, 307, 2048)]                // the longer side binds
    [InlineData("segmentation-ade20k", 1080, 1920, 1.75, 896, 1593)]
    [InlineData("segmentation-cityscapes", 1024, 2048, 1, 1024, 2048)]
    [InlineData("segmentation-cityscapes", 1024, 2048, 0.5, 512, 1024)]
    public void PicturesAreFittedAsTheReferenceFitsThem(string model, int height, int width, double scale, int fittedHeight, int fittedWidth) =>
        Assert.Equal((fittedHeight, fittedWidth), MultiScaleSegmentation.Fitted(height, width, PublishedModels.Named(model).Paper!, scale));

    [Fact]
    public void EveryScaleGoesThroughTheNetworkPlainAndMirroredAndSharesSumToOne()
    {
        using var scope = NewDisposeScope();
        var seen = new List<(long, long)>();
        var paper = new PaperProtocol { Fit = new ImageSize(32, 64), Scales = [0.5, 1, 2], Flip = true };
        var shares = MultiScaleSegmentation.Run(Picture(40, 60), paper, ScalarType.Float32, image =>
        {
            seen.Add((image.shape[2], image.shape[3]));
            return Formula(image);
        });
        Assert.Equal([(16, 24), (16, 24), (32, 48), (32, 48), (64, 96), (64, 96)], seen);
        Assert.Equal([1, 2, 40, 60], shares.shape);
        Assert.InRange((shares.sum(1) - 1).abs().max().ToSingle(), 0, 1e-6f);
    }

    [Fact]
    public void AMirroredPictureHasTheMirroredAnswer()
    {
        using var scope = NewDisposeScope();
        // The network of this test looks at its right-hand neighbour, so that without the flip test the mirror would show.
        static Tensor Lopsided(Tensor image) => Formula(image) + Formula(image.roll(1, 3));
        var picture = Picture(24, 40);
        foreach (var (flip, same) in ((bool, bool)[])[(true, true), (false, false)])
        {
            var paper = new PaperProtocol { Flip = flip, Crop = new ImageSize(16, 16), Stride = new ImageSize(8, 12) };
            var plain = MultiScaleSegmentation.Run(picture, paper, ScalarType.Float32, Lopsided);
            var mirrored = MultiScaleSegmentation.Run(picture.flip(3), paper, ScalarType.Float32, Lopsided).flip(3);
            Assert.Equal(same, (plain - mirrored).abs().max().ToSingle() < 1e-6f);
        }
    }

    [Fact]
    public void WindowsOfAPointwiseNetworkAreTheWholePicture()
    {
        using var scope = NewDisposeScope();
        var picture = Picture(37, 53);
        var whole = MultiScaleSegmentation.Run(picture, new PaperProtocol(), ScalarType.Float64, Formula);
        var windows = MultiScaleSegmentation.Run(picture, new PaperProtocol { Crop = new ImageSize(16, 16), Stride = new ImageSize(11, 11) }, ScalarType.Float64, Formula);
        Assert.InRange((whole - windows).abs().max().ToDouble(), 0, 1e-12);
    }
}
