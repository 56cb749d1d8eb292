using MetaPrompts.Training.Optimisation;
using TorchSharp;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests.Optimisation;

[Collection(OneAtATime.Name)]
public sealed class AdamWTests
{
    [Fact]
    public void AgreesWithTheLibrarysOwn()
    {
        random.manual_seed(5);
        var start = rand(7, 3);
        var ours = new Parameter(start.clone());
        var theirs = new Parameter(start.clone());
        using var our = new Optimiser([new TrainedParameter("x", ours, 1, 0.1)]);
        var their = optim.AdamW([theirs], lr: 0.01, beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.1);
        for (var step = 0; step < 20; step++)
        {
            (ours * ours).sum().backward();
            (theirs * theirs).sum().backward();
            our.Step(0.01, clipNorm: 1e9);
            their.step();
            their.zero_grad();
        }
        Assert.True(ours.allclose(theirs, 1e-5, 1e-6));
    }

    [Fact]
    public void ParametersOfLowPrecisionMoveByStepsTooSmallForThem()
    {
        var parameter = new Parameter(ones(4).to(ScalarType.BFloat16));
        using var optimiser = new Optimiser([new TrainedParameter("x", parameter, 1, 0)]);
        for (var step = 0; step < 100; step++)
        {
            parameter.sum().backward();
            optimiser.Step(1e-4, clipNorm: 1e9);
        }
        // One step of 1e-4 is lost on a bfloat16 of 1; a hundred of them are not.
        Assert.InRange(parameter.to(ScalarType.Float32).mean().item<float>(), 0.985f, 0.995f);
    }

    [Fact]
    public void AFloat32ParameterIsItsOwnMaster()
    {
        var parameter = new Parameter(ones(4));
        using var optimiser = new Optimiser([new TrainedParameter("x", parameter, 1, 0)]);
        parameter.sum().backward();
        optimiser.Step(0.1, clipNorm: 1e9);
        using (no_grad()) optimiser.Masters.Single().Master.fill_(5);
        Assert.True(parameter.allclose(full(4, 5f)));
    }

    [Fact]
    public void AGradientThatIsNoNumberChangesNothing()
    {
        var parameter = new Parameter(ones(4));
        using var optimiser = new Optimiser([new TrainedParameter("x", parameter, 1, 0)]);
        (parameter.sum() * float.NaN).backward();
        Assert.False(double.IsFinite(optimiser.Step(0.1, 1)));
        Assert.True(parameter.allclose(ones(4)));
    }
}
