using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Losses;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tests.Losses;

public sealed class NobodyLossTests
{
    private const int Classes = 10;

    private static Tensor Logits() => rand([2, Classes, 3, 4], generator: new Generator(5)) * 6 - 3;

    private static Tensor Labels(Func<int, long> of) => tensor(Enumerable.Range(0, 24).Select(of).ToArray()).reshape(2, 3, 4);

    private static Tensor Weights() => tensor(Enumerable.Range(0, Classes).Select(i => 1 + i * 0.25f).ToArray());

    [Fact]
    public void Where_every_class_is_known_it_is_cross_entropy()
    {
        using var scope = NewDisposeScope();
        var labels = Labels(i => i % 7 == 0 ? TrainingSample.Unlabelled : i % Classes);
        Assert.Equal(functional.cross_entropy(Logits(), labels, Weights(), ignore_index: TrainingSample.Unlabelled).item<float>(), NobodyLoss.Of(Logits(), labels, Weights()).item<float>());
    }

    [Fact]
    public void A_pixel_that_is_nobody_costs_what_the_person_was_believed_to_be_there()
    {
        using var scope = NewDisposeScope();
        var labels = Labels(i => i % 3 == 0 ? SceneClasses.Nobody : i % 7 == 0 ? TrainingSample.Unlabelled : i % Classes);
        var (chances, ids, weights) = (Logits().softmax(1), labels.data<long>().ToArray(), Weights().data<float>().ToArray());
        double sum = 0, weight = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            double Chance(long id) => chances[i / 12, (int)id, i % 12 / 4, i % 4].item<float>();
            if (ids[i] == TrainingSample.Unlabelled) continue;
            var heavy = ids[i] == SceneClasses.Nobody ? 1 : weights[ids[i]];
            sum -= heavy * Math.Log(ids[i] == SceneClasses.Nobody ? 1 - Chance(SceneClasses.Person) : Chance(ids[i]));
            weight += heavy;
        }
        Assert.Equal(sum / weight, NobodyLoss.Of(Logits(), labels, Weights()).item<float>(), 1e-5);
    }

    [Fact]
    public void It_only_speaks_against_the_person_and_stays_finite_when_sure_of_one()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(1, Classes, 1, 2);
        logits[0, SceneClasses.Person] = 200f;
        logits.requires_grad = true;
        var loss = NobodyLoss.Of(logits, full(1, 1, 2, SceneClasses.Nobody, ScalarType.Int64), Weights());
        Assert.InRange(loss.item<float>(), 190, 210);
        loss.backward();
        var gradient = logits.grad![0, TensorIndex.Colon, 0, 0].data<float>().ToArray();
        Assert.All(Enumerable.Range(0, Classes), id => Assert.True(id == SceneClasses.Person ? gradient[id] > 0 : gradient[id] < 0, $"class {id}: {gradient[id]}"));
    }
}
