using System.Globalization;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Training;

/// <summary>A recipe at work in a folder: resumes what is there, reports each step, and leaves state, weights, manifest and metrics.csv behind.</summary>
/// <param name="folder">Made if missing.</param>
public sealed class TrainingRun(TrainingRecipe recipe, string folder)
{
    public string StatePath => Path.Combine(folder, "state.safetensors");

    public string ManifestPath => Path.Combine(folder, recipe.Name + ".json");

    /// <param name="startFrom">Weights to begin with, or null; ignored when the folder holds a state.</param>
    /// <param name="stop">The step in hand is finished and saved.</param>
    public IEnumerable<TrainingProgress> Run(string? startFrom, CancellationToken stop)
    {
        TorchRuntime.Prepare();
        Directory.CreateDirectory(folder);
        using var trainer = new Trainer(recipe.Manifest(), recipe.Training);
        if (File.Exists(StatePath)) trainer.Resume(StatePath);
        else if (startFrom is not null) trainer.StartFrom(startFrom);
        using var metrics = Metrics(trainer.Step);
        foreach (var progress in trainer.Run(stop))
        {
            metrics.WriteLine(string.Join(',', ((double[])[progress.Step, progress.Loss, .. Order(progress).Select(loss => loss.Value), progress.LearningRate, progress.GradientNorm])
                .Select(value => value.ToString("G6", CultureInfo.InvariantCulture))));
            if (progress.Step % recipe.Training.SaveEvery == 0) Save(trainer);
            yield return progress;
        }
        Save(trainer);
    }

    /// <summary>A resumed run goes on in the same table, without the lines of steps that will be taken again.</summary>
    private StreamWriter Metrics(int step)
    {
        var path = Path.Combine(folder, "metrics.csv");
        var kept = File.Exists(path) ? File.ReadAllLines(path).Take(step + 1).ToList() : [];
        if (kept.Count == 0) kept.Add("step,loss,depth,gradient,heatmap,offset,segmentation,learning_rate,gradient_norm");
        File.WriteAllLines(path, kept);
        return new StreamWriter(path, append: true) { AutoFlush = true };
    }

    private static IEnumerable<KeyValuePair<string, double>> Order(TrainingProgress progress) => progress.Losses.OrderBy(loss => loss.Key, StringComparer.Ordinal);

    private void Save(Trainer trainer)
    {
        trainer.SaveState(StatePath);
        var manifest = recipe.Manifest();
        var weights = Path.Combine(folder, manifest.Weights);
        trainer.SaveWeights(weights);
        using var file = File.OpenRead(weights);
        Manifests.Write(manifest with { Sha256 = Manifests.Sha256(file) }, ManifestPath);
    }
}
