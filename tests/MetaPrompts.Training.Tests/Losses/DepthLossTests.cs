using MetaPrompts.Training.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests.Losses;

public sealed class DepthLossTests
{
    private static Tensor Truth() => rand([2, 32, 48], generator: new Generator(3)) * 4 + 1;

    [Fact]
    public void A_common_scale_costs_half()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0.5 * Math.Log(1.5), LogDepthLoss.Of(Truth() * 1.5f, Truth()).item<float>(), 1e-5);
        Assert.Equal(0, DepthGradientLoss.Of(Truth() * 1.5f, Truth()).item<float>(), 1e-5);
    }

    [Fact]
    public void Every_picture_counts_the_same_however_little_of_it_is_known()
    {
        using var scope = NewDisposeScope();
        var (truth, said) = (Truth(), Truth());
        truth[0, TensorIndex.Slice(1)] = 0;                                                    // one row of the first is known
        said[0] *= 3f;
        Assert.Equal(0.5 * 0.5 * Math.Log(3), LogDepthLoss.Of(said, truth).item<float>(), 1e-5);
        truth[1] = 0;                                                                          // nothing of the second: it is not asked
        Assert.Equal(0.5 * Math.Log(3), LogDepthLoss.Of(said, truth).item<float>(), 1e-5);
    }

    [Fact]
    public void A_few_places_that_are_far_off_do_not_move_the_scale_of_the_rest()
    {
        using var scope = NewDisposeScope();
        var said = Truth();
        said[TensorIndex.Colon, TensorIndex.Slice(0, 8)] *= 10f;                               // a quarter of each
        Assert.Equal(0.25 * Math.Log(10), LogDepthLoss.Of(said, Truth()).item<float>(), 1e-4);
    }

    [Fact]
    public void Where_nothing_is_known_nothing_is_learnt()
    {
        using var scope = NewDisposeScope();
        var said = Truth();
        said.requires_grad = true;
        var loss = LogDepthLoss.Of(said, zeros_like(said)) + DepthGradientLoss.Of(said, zeros_like(said));
        loss.backward();
        Assert.Equal(0, loss.item<float>());
        Assert.Equal(0, said.grad!.abs().sum().item<float>());
    }

    [Fact]
    public void A_slope_that_is_not_there_costs_more_the_further_apart_two_places_are()
    {
        using var scope = NewDisposeScope();
        var slope = (arange(48, dtype: ScalarType.Float32) * 0.01f).exp().expand(2, 32, 48);
        // Between places k apart the error grows by 0.01 k; at scale k there are w / k columns, and one pair fewer of them.
        var wanted = new[] { 1, 2, 4, 8, 16 }.Sum(k => 0.01 * k * (48 / k - 1) / (48 / k));
        Assert.Equal(wanted, DepthGradientLoss.Of(Truth() * slope, Truth()).item<float>(), 1e-4);
    }
}
