using MetaPrompts.Model.Checkpoints;
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

    /// <summary>Told what became of the weights to begin with, before the first step.</summary>
    public Action<LoadReport>? Began { get; init; }

    /// <param name="startFrom">Weights to begin with (<see cref="Trainer.StartFrom"/>), or null; ignored when the folder holds a state.</param>
    /// <param name="stop">The step in hand is finished and saved.</param>
    public IEnumerable<TrainingProgress> Run(string? startFrom, CancellationToken stop)
    {
        TorchRuntime.Prepare();
        var set = samples ?? recipe.Set();
        using var trainer = new Trainer(recipe.Manifest(), recipe.Training, set);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "data.txt"), set.Description + "\n");
        if (File.Exists(StatePath)) trainer.Resume(StatePath);
        else if (startFrom is not null) Tell(startFrom, trainer.StartFrom(startFrom));
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

    /// <summary>Every name goes to the folder; whoever listens gets the counts.</summary>
    private void Tell(string startFrom, LoadReport report)
    {
        File.WriteAllLines(Path.Combine(folder, "from.txt"),
            [startFrom, .. report.Lines(), "", .. report.Loaded.Select(name => $"loaded {name}"), .. report.Kept.Select(name => $"kept {name}"), .. report.Ignored.Select(entry => $"left out {entry}")]);
        Began?.Invoke(report);
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
