using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

public class SegmentationLadderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("case0.safetensors", ScalarType.Float64, Tolerances.Float64)]
    [InlineData("case0.safetensors", ScalarType.Float32, Tolerances.Float32)]
    [InlineData("case1.safetensors", ScalarType.Float64, Tolerances.Float64)]
    [InlineData("case1.safetensors", ScalarType.Float32, Tolerances.Float32)]
    public void Every_stage_is_the_published_one(string file, ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var model = GoldenModel.Of("segmentation");
        using var golden = new GoldenCase("segmentation", file);
        using var network = new MetaPromptsSeg(model.Manifest());
        network.to(type);
        model.Load(network);
        using var steps = new StepCache(network.PrepareStep);
        var ladder = new Ladder(golden, tolerance);
        var prepared = steps.First(model.RefineSteps);
        ladder.Tap("context", prepared[0].MetaPrompts);
        using var image = golden.Image(type);
        var (logits, _) = network.ForwardTraining(image, prepared, ladder.Tap);

        if (golden.Names.Contains("argmax") && type == ScalarType.Float64) TensorAssert.Same("argmax", golden.Expected("argmax"), logits.argmax(1).to(ScalarType.Byte));
        ladder.AssertComplete(output, "image_u8", "argmax");
        TensorAssert.Same("served and trained logits", logits, network.forward(image, prepared));
    }
}
