using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Reports;

namespace MetaPrompts.Training;

/// <summary>A recipe at work in a folder: resumes what is there, reports each step, and leaves state, weights, manifest, metrics.csv with its curves (metrics.png), TensorBoard events and what it learnt from behind.</summary>
/// <param name="folder">Made if missing.</param>
/// <param name="samples">The recipe's own, where it has been opened already; null to open it.</param>
public sealed class TrainingRun(TrainingRecipe recipe, string folder, ITrainingSet? samples = null)
{
    public string StatePath => Path.Combine(folder, "state.safetensors");

    public string ManifestPath => Path.Combine(folder, recipe.Name + ".json");

    /// <param name="startFrom">Weights to begin with, or null; ignored when the folder holds a state.</param>
    /// <param name="stop">The step in hand is finished and saved.</param>
    public IEnumerable<TrainingProgress> Run(string? startFrom, CancellationToken stop)
    {
        TorchRuntime.Prepare();
        var set = samples ?? recipe.Set();
        using var trainer = new Trainer(recipe.Manifest(), recipe.Training, set);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "data.txt"), set.Description + "\n");
        if (File.Exists(StatePath)) trainer.Resume(StatePath);
        else if (startFrom is not null) trainer.StartFrom(startFrom);
        var table = Path.Combine(folder, "metrics.csv");
        using var metrics = new MetricsTable(table, trainer.Step);
        using var events = new EventFile(folder, trainer.Step);
        foreach (var progress in trainer.Run(stop))
        {
            metrics.Add(progress);
            events.Add(progress);
            if (progress.Step % recipe.Training.SaveEvery == 0) Save(trainer);
            yield return progress;
        }
        Save(trainer);
        MetricsTable.Draw(table, Path.Combine(folder, "metrics.png"));
    }

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
