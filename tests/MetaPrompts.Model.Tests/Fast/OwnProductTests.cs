using MetaPrompts.Core.Frames;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Modules;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests.Fast;

/// <summary>Kernels of ours against libtorch: convolutions of every kind a network has, norms and sums around them, products of few rows and of odd numbers of columns.</summary>
public sealed class OwnProductTests
{
    private static readonly FastPlan _alone = new(Speedups.All, CPU, ScalarType.Float32, alone: true), _direct = new(Speedups.All & ~Speedups.Winograd, CPU, ScalarType.Float32, alone: true);

    [Theory]
    [InlineData(1, 1, 3, 16, 3, 1, 1)]
    [InlineData(2, 3, 64, 64, 3, 1, 1)]
    [InlineData(7, 5, 32, 40, 3, 1, 1)]
    [InlineData(16, 24, 64, 96, 3, 1, 1)]
    [InlineData(13, 9, 40, 32, 3, 1, 1)]
    [InlineData(33, 49, 16, 16, 3, 2, 0)]
    [InlineData(16, 24, 3, 16, 3, 2, 1)]
    [InlineData(5, 4, 12, 10, 1, 1, 0)]
    [InlineData(1, 1, 24, 52, 1, 1, 0)]
    [InlineData(6, 8, 8, 64, 2, 1, 1)]
    public void Convolutions(long height, long width, long channels, long outputs, long kernel, long stride, long padding)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(7);
        var (x, weight, bias) = (randn(2, channels, height, width), randn(outputs, channels, kernel, kernel), randn(outputs));
        var plain = functional.conv2d(x, weight, bias, strides: [stride, stride], padding: [padding, padding]);
        var add = randn(plain.shape);
        foreach (var plan in (FastPlan[])[_direct, _alone])
        {
            using var fast = new OwnConvolution(plan, weight, stride, padding);
            AssertSame(plain, fast.Run(x, null, bias, null, false));
            AssertSame(functional.relu(plain + add), fast.Run(x, null, bias, add, true));
            AssertSame(functional.conv2d(x, weight, strides: [stride, stride], padding: [padding, padding]), fast.Run(ChannelsLast.Of(x), null, null, null, false));
        }
    }

    [Theory]
    [InlineData(33, 40, true)]
    [InlineData(9, 11, false)]
    public void Convolutions_that_all_threads_share(long height, long width, bool shared)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(14);
        var (x, weight, bias) = (randn(2, 40, height, width), randn(48, 40, 3, 3), randn(48));
        var plan = new FastPlan(Speedups.All, CPU, ScalarType.Float32);
        using var fast = new FastConvolution(plan, weight, bias, 1, 1);
        AssertSame(functional.relu(functional.conv2d(x, weight, bias, padding: [1L, 1L])), fast.Run(x, relu: true));
        // And another size by what the first one chose.
        var small = randn(1, 40, 3, 5);
        AssertSame(functional.conv2d(small, weight, bias, padding: [1L, 1L]), fast.Run(small));
        Assert.Equal(shared && Panels.Usable, plan.Choices.Any(line => line.StartsWith("Winograd: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(2, 3, 64)]
    [InlineData(8, 12, 32)]
    [InlineData(6, 5, 8)]
    [InlineData(7, 9, 24)]
    public void A_norm_and_its_activation_before_a_convolution(long height, long width, long channels)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(8);
        var (x, weight, bias) = (randn(2, channels, height, width) * 3 + 1, randn(32, channels, 3, 3), randn(32));
        var norm = GroupNorm(8, channels);
        norm.weight!.copy_(randn(channels));
        norm.bias!.copy_(randn(channels));
        var plain = functional.conv2d(functional.silu(norm.forward(x)), weight, bias, padding: [1L, 1L]);
        foreach (var plan in (FastPlan[])[_direct, _alone])
        {
            using var fast = new FastConvolution(plan, weight, bias, 1, 1);
            AssertSame(plain + 1, fast.Run(x, FastNorm.Of(plan, norm), null, ones_like(plain)));
        }
    }

    [Theory]
    [InlineData(1, 1, 2)]
    [InlineData(3, 5, 2)]
    [InlineData(4, 3, 4)]
    [InlineData(2, 7, 8)]
    public void Maps_that_are_enlarged(long height, long width, int times)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(12);
        var (x, weight, bias) = (randn(2, 12, height, width), randn(24, 12, 3, 3), randn(24));
        var large = functional.interpolate(x, size: [times * height, times * width], mode: InterpolationMode.Bilinear, align_corners: false);
        using var enlarged = new EnlargedConvolution(_alone, weight);
        AssertSame(functional.conv2d(large, weight, padding: [1L, 1L]), enlarged.Run(x, times * height, times * width));
        var twice = functional.interpolate(x, size: [2 * height, 2 * width], mode: InterpolationMode.Nearest);
        using var doubled = new DoubledConvolution(_alone, weight, bias);
        AssertSame(functional.conv2d(twice, weight, bias, padding: [1L, 1L]), doubled.Run(x));
    }

    [Theory]
    [InlineData(1, 1, 4, 6, 3)]
    [InlineData(5, 7, 20, 28, 10)]
    [InlineData(6, 4, 17, 9, 150)]
    public unsafe void The_likeliest_class_of_enlarged_logits(int height, int width, int toHeight, int toWidth, int classes)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(13);
        var logits = ChannelsLast.Of(randn(1, classes, height, width));
        var plain = functional.interpolate(logits, size: [toHeight, toWidth], mode: InterpolationMode.Bilinear, align_corners: false).argmax(1).to(ScalarType.Byte).data<byte>().ToArray();
        var fast = ClassMap.Run((float*)OneDnn.Data(logits), classes, new ImageSize(height, width), (logits.stride(1), logits.stride(2), logits.stride(3)), new ImageSize(toHeight, toWidth));
        // A class may change where two are equally likely to the last digit.
        Assert.InRange(plain.Zip(fast, (a, b) => a == b ? 0 : 1).Sum(), 0, plain.Length / 100);
    }

    [Theory]
    [InlineData(1, 8, 16)]
    [InlineData(5, 96, 12)]
    [InlineData(6, 128, 384)]
    [InlineData(100, 33, 17)]
    public void Products(long rows, long depth, long columns)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(9);
        var (x, weight, bias) = (randn(1, rows, depth), randn(columns, depth), randn(columns));
        foreach (var plan in (FastPlan[])[_alone, new FastPlan(Speedups.All, CPU, ScalarType.Float32), new FastPlan(Speedups.All, CPU, ScalarType.Float64)])
        {
            var type = plan.Type;
            using var with = new FastLinear(plan, weight.to(type), bias.to(type));
            using var without = new FastLinear(plan, weight.to(type), null);
            AssertSame(functional.linear(x, weight, bias), with.Run(x.to(type)).to(ScalarType.Float32));
            AssertSame(functional.linear(x, weight) + 2, without.Run(x.to(type), full([1, rows, columns], 2, type)).to(ScalarType.Float32));
            // Not dense, and other rows than those the weights were arranged for.
            var across = randn(depth, rows + 3).transpose(0, 1);
            AssertSame(functional.linear(across, weight, bias), with.Run(across.to(type)).to(ScalarType.Float32));
        }
    }

    [Fact]
    public unsafe void Norms_are_the_same_for_every_width_of_vectors()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(10);
        var x = randn(2, 6, 8, 40) * 5 + 2;
        var norm = Norms.UNet(8, 40);                          // TorchSharp leaves a new group norm's weights uninitialised
        norm.weight!.detach().copy_(randn(40));
        var plain = norm.forward(x.permute(0, 3, 1, 2));
        foreach (var (activation, expected) in ((Activation, Tensor)[])[(Activation.None, plain), (Activation.SiLU, functional.silu(plain)), (Activation.ReLU, functional.relu(plain))])
        {
            var (narrow, wide) = (empty_like(x), empty_like(x));
            void* from = OneDnn.Data(x), gamma = OneDnn.Data(norm.weight!), beta = OneDnn.Data(norm.bias!);
            GroupNormKernel.Run<Wide256>((float*)from, (float*)OneDnn.Data(narrow), 2, 6, 8, 40, 320, 1920, 8, 1e-5f, (float*)gamma, (float*)beta, activation);
            GroupNormKernel.Run<Wide512>((float*)from, (float*)OneDnn.Data(wide), 2, 6, 8, 40, 320, 1920, 8, 1e-5f, (float*)gamma, (float*)beta, activation);
            AssertSame(expected, narrow.permute(0, 3, 1, 2));
            AssertSame(expected, wide.permute(0, 3, 1, 2));
        }
    }

    [Fact]
    public void Lanes_share_weights_that_are_arranged_when_the_first_comes()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        random.manual_seed(11);
        var (x, weight, bias) = (randn(1, 48, 64), randn(80, 64), randn(80));
        var expected = functional.linear(x, weight, bias);
        using var fast = new FastLinear(new FastPlan(Speedups.All, CPU, ScalarType.Float32), weight, bias);
        var apart = new double[16];
        Parallel.For(0, apart.Length, i =>
        {
            using var inner = NewDisposeScope();
            using var inference = inference_mode();
            apart[i] = (fast.Run(x) - expected).abs().max().ToDouble();
        });
        Assert.All(apart, one => Assert.InRange(one, 0, 1e-4));
    }

    [Fact]
    public void Weights_exist_once()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        foreach (var plan in (FastPlan[])[_alone, new FastPlan(Speedups.All, CPU, ScalarType.Float32)])
        {
            using Linear linear = Linear(32, 48);
            using Conv2d conv = Conv2d(32, 48, 1);
            var x = randn(1, 5, 32);
            var (product, convolved) = (linear.forward(x), functional.linear(x, conv.weight!.flatten(1), conv.bias));
            using FastLinear first = FastLinear.Of(plan, linear), second = FastLinear.Of(plan, conv);
            Assert.Equal(0, linear.weight!.numel() + conv.weight!.numel());
            AssertSame(product, first.Run(x));
            AssertSame(convolved, second.Run(x));
        }
    }

    private static void AssertSame(Tensor expected, Tensor got)
    {
        Assert.Equal(expected.shape, got.shape);
        var apart = (expected - got).abs().max().ToDouble();
        Assert.True(apart <= 1e-5 * expected.abs().max().ToDouble(), $"{apart} apart");
    }
}
