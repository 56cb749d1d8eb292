using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

public class PoseLadderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("case0.safetensors", ScalarType.Float64, Tolerances.Float64)]
    [InlineData("case0.safetensors", ScalarType.Float32, Tolerances.Float32)]
    [InlineData("case1.safetensors", ScalarType.Float64, Tolerances.Float64)]
    [InlineData("case1.safetensors", ScalarType.Float32, Tolerances.Float32)]
    public void Every_stage_is_that_of_the_released_parts(string file, ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var model = GoldenModel.Of("pose");
        using var golden = new GoldenCase("pose", file);
        using var network = new MetaPromptsPose(model.Manifest());
        network.to(type);
        model.Load(network);
        using var steps = new StepCache(network.PrepareStep);
        var ladder = new Ladder(golden, tolerance);
        using var image = golden.Image(type);
        network.forward(image, steps.First(model.RefineSteps), ladder.Tap);

        ladder.AssertComplete(output, "image_u8", "heatmaps_flipped_back", "heatmaps_flip_average");
    }
}
