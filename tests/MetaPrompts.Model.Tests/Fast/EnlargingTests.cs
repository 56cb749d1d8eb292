using MetaPrompts.Model.Fast;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests.Fast;

/// <summary>Convolutions moved before an enlargement are the convolutions after it: in float64 to its rounding, borders included, at the sizes and widths the rules choose them for.</summary>
public sealed class EnlargingTests
{
    private static readonly FastPlan _plan = new(Speedups.All, CPU, ScalarType.Float64);

    [Theory]
    [InlineData(1, 1, 2)]
    [InlineData(3, 5, 2)]
    [InlineData(4, 3, 4)]
    [InlineData(2, 7, 8)]
    public void Bilinear_enlarging_and_a_convolution_change_places(long height, long width, int times)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        var (x, weight) = (randn(2, 5, height, width, ScalarType.Float64), randn(7, 5, 3, 3, ScalarType.Float64));
        var large = functional.interpolate(x, size: [times * height, times * width], mode: InterpolationMode.Bilinear, align_corners: false);
        using var folded = new EnlargedConvolution(_plan, weight);
        AssertSame(functional.conv2d(large, weight, padding: [1L, 1L]), folded.Run(x, times * height, times * width));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(3, 5)]
    [InlineData(8, 6)]
    public void Copies_and_a_convolution_change_places(long height, long width)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(4);
        var (x, weight, bias) = (randn(2, 5, height, width, ScalarType.Float64), randn(7, 5, 3, 3, ScalarType.Float64), randn(7, ScalarType.Float64));
        var large = functional.interpolate(x, size: [2 * height, 2 * width], mode: InterpolationMode.Nearest);
        using var folded = new DoubledConvolution(_plan, weight, bias);
        AssertSame(functional.conv2d(large, weight, bias, padding: [1L, 1L]), folded.Run(x));
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(192, true)]
    public void Wide_features_are_convolved_before_they_are_enlarged(long channels, bool folds)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(5);
        var plan = new FastPlan(Speedups.All, CPU, ScalarType.Float64);
        // TorchSharp leaves a new group norm's weights uninitialised.
        var norm = GroupNorm(2, 6);
        norm.weight!.fill_(1);
        norm.bias!.fill_(0);
        var layers = Sequential(("0", Conv2d(channels, 6, 3, padding: 1)), ("1", norm));
        layers.to(ScalarType.Float64);
        var x = randn(1, channels, 3, 4, ScalarType.Float64);
        var expected = functional.relu(layers.forward(functional.interpolate(x, size: [6, 8], mode: InterpolationMode.Bilinear, align_corners: false)));
        using var stack = FastStack.Of(plan, layers, thenRelu: true, doubles: true);
        AssertSame(expected, stack.Run(x));
        Assert.Equal(folds, plan.Choices.Any(line => line.EndsWith(" convolved before they are enlarged to twice their size", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(96, 96)]
    [InlineData(128, 1024)]
    public void Weights_in_oneDNNs_order_are_right_for_every_size_that_comes(long channels, long outputs)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(6);
        var (weight, bias) = (randn(outputs, channels, 3, 3), randn(outputs));
        using var fast = new FastConvolution(new FastPlan(Speedups.All, CPU, ScalarType.Float32), weight, bias, 1, 1);
        for (var size = 1; size <= 20; size++)
        {
            var x = randn(1, channels, size, size + 1);
            AssertSame(functional.conv2d(x, weight, bias, padding: [1L, 1L]), fast.Run(x), 1e-5);
        }
    }

    private static void AssertSame(Tensor expected, Tensor got, double tolerance = 1e-12)
    {
        Assert.Equal(expected.shape, got.shape);
        var apart = (expected - got).abs().max().ToDouble();
        Assert.True(apart <= tolerance * expected.abs().max().ToDouble(), $"{apart} apart");
    }
}
