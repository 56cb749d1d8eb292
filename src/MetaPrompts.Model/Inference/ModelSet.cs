using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Modules.Autoencoder;

namespace MetaPrompts.Model.Inference;

/// <summary>Several models on the same frames, one after the other; each frame gets what any of them says. A picture that several see alike is encoded once, where their autoencoders are the same. Owns the models.</summary>
public sealed class ModelSet : IPerceptionModel
{
    private readonly IReadOnlyList<IPerceptionModel> _models;

    /// <param name="models">At least one; taken over. Where two predict the same task the first one's word stands.</param>
    public ModelSet(IReadOnlyList<IPerceptionModel> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (models.Count == 0) throw new ArgumentException("a set needs a model", nameof(models));
        _models = models;
        Latents = Sharing(models);
        Manifest = Joined([.. models.Select(model => model.Manifest)]);
    }

    /// <summary>The first model's, with the name of all, and the tasks, classes, keypoints and depth range of whoever has them.</summary>
    public ModelManifest Manifest { get; }

    public IReadOnlyList<IPerceptionModel> Models => _models;

    /// <summary>One for each autoencoder that several models have.</summary>
    public IReadOnlyList<SharedLatents> Latents { get; }

    /// <inheritdoc/>
    public int Lanes => _models.Min(model => model.Lanes);

    /// <inheritdoc/>
    public IReadOnlyList<string> Choices => [.. _models.SelectMany(model => model.Choices.Select(choice => $"{model.Manifest.Name}: {choice}"))];

    /// <summary>The first model's; the others sort the frames of a batch by their own keys.</summary>
    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => _models[0].BatchKey(frame);

    /// <inheritdoc/>
    public int RefineSteps => _models.Max(model => model.RefineSteps);

    /// <inheritdoc/>
    public bool NeedsPlaces => _models.Any(model => model.NeedsPlaces);

    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => Run(batch, (model, part, _, _) => model.Predict(part));

    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch, Func<int, FramePerception, IReadOnlyList<Box>> places) =>
        Run(batch, (model, part, at, said) => model.Predict(part, (k, _) => places(at[k], said[at[k]])));

    /// <param name="predict">By a model, for some frames of the batch: with their places in it, and what has been said of all of them so far.</param>
    private FramePerception[] Run(FrameBatch batch, Func<IPerceptionModel, FrameBatch, IReadOnlyList<int>, FramePerception[], IReadOnlyList<FramePerception>> predict)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var said = new FramePerception[batch.Frames.Count];
        Array.Fill(said, new FramePerception(null, null, null));
        // Who must be told where the people are comes last: the others may have seen them.
        try
        {
            foreach (var model in _models.OrderBy(model => model.NeedsPlaces))
            {
                foreach (var alike in Enumerable.Range(0, said.Length).GroupBy(i => model == _models[0] ? batch.Key : model.BatchKey(batch.Frames[i].Pixels.Size)))
                {
                    var places = alike.ToList();
                    var part = predict(model, batch.Part(places, alike.Key), places, said);
                    for (var k = 0; k < places.Count; k++)
                    {
                        var (before, now) = (said[places[k]], part[k]);
                        said[places[k]] = new FramePerception(before.Depth ?? now.Depth, before.Segmentation ?? now.Segmentation, before.Pose ?? now.Pose);
                    }
                }
            }
        }
        finally
        {
            foreach (var latents in Latents) latents.Forget();
        }
        return said;
    }

    private static List<SharedLatents> Sharing(IReadOnlyList<IPerceptionModel> models)
    {
        var autoencoders = models.OfType<IServed>().Select(model => model.Served.Autoencoder).ToList();
        var shared = new List<SharedLatents>();
        for (var i = 0; i < autoencoders.Count; i++)
        {
            if (autoencoders[i].Shared is not null) continue;
            var alike = autoencoders.Skip(i + 1).Where(other => other.Shared is null && other.SameAs(autoencoders[i])).ToList();
            if (alike.Count == 0) continue;
            var latents = new SharedLatents();
            foreach (var one in alike.Prepend(autoencoders[i])) one.Shared = latents;
            shared.Add(latents);
        }
        return shared;
    }

    private static ModelManifest Joined(IReadOnlyList<ModelManifest> all)
    {
        ModelManifest? Of(PerceptionTask task) => all.FirstOrDefault(manifest => manifest.Tasks.Contains(task));
        return all[0] with
        {
            Name = string.Join("+", all.Select(manifest => manifest.Name)),
            Tasks = [.. all.SelectMany(manifest => manifest.Tasks).Distinct()],
            Weights = string.Join("+", all.Select(manifest => manifest.Weights)),
            Sha256 = string.Join("+", all.Select(manifest => manifest.Sha256)),
            MetaPrompts = all.SelectMany(manifest => manifest.MetaPrompts).DistinctBy(pair => pair.Key).ToDictionary(),
            Classes = Of(PerceptionTask.Segmentation)?.Classes ?? [],
            Keypoints = Of(PerceptionTask.Pose)?.Keypoints ?? [],
            MinDepth = Of(PerceptionTask.Depth)?.MinDepth,
            MaxDepth = Of(PerceptionTask.Depth)?.MaxDepth,
            CanonicalFocal = Of(PerceptionTask.Depth)?.CanonicalFocal,
            Scores = all.SelectMany(manifest => manifest.Scores.Select(score => (Key: $"{manifest.Name}.{score.Key}", score.Value))).DistinctBy(score => score.Key).ToDictionary(score => score.Key, score => score.Value),
        };
    }

    public void Dispose()
    {
        foreach (var model in _models) model.Dispose();
        foreach (var latents in Latents) latents.Dispose();
    }
}
