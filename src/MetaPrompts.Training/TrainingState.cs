using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training;

/// <summary>What a run is made of: masters, moments, averages, buffers and the step, read from and written to one safetensors file. Owns the averages.</summary>
internal sealed class TrainingState : IDisposable
{
    private const string StepKey = "step";
    private readonly Module _network;
    private readonly Optimiser _optimiser;
    private readonly TrainerOptions _options;
    private readonly string? _scaffold;
    private readonly Dictionary<string, Tensor> _averages = [];

    /// <param name="scaffold">Name under which the network has what is no part of the model (<see cref="Tasks.ITrainingTask.Scaffold"/>).</param>
    public TrainingState(Module network, Optimiser optimiser, TrainerOptions options, string? scaffold)
    {
        (_network, _optimiser, _options, _scaffold) = (network, optimiser, options, scaffold is null ? null : scaffold + ".");
        foreach (var (name, value) in Averaged()) _averages[name] = Averages ? value.clone() : value.alias();
    }

    /// <summary>Otherwise what would be averaged stands for its average, and takes no memory.</summary>
    private bool Averages => _options.AverageDecay > 0;

    private IEnumerable<(string Name, Tensor Value)> Averaged() => _optimiser.Masters.Concat(Statistics());

    /// <summary>Moves the averages a little towards the weights; slower the longer the run, so that the start does not linger.</summary>
    public void Average()
    {
        if (!Averages) return;
        using var none = no_grad();
        var decay = Math.Min(_options.AverageDecay, (1.0 + _optimiser.Steps) / (10 + _optimiser.Steps));
        foreach (var (name, value) in Averaged()) _averages[name].lerp_(value, 1 - decay);
    }

    public void Save(string path)
    {
        var tensors = new Dictionary<string, Tensor>(_optimiser.State());
        if (Averages) foreach (var (name, average) in _averages) tensors["average/" + name] = average;
        foreach (var (name, buffer) in _network.named_buffers()) tensors["buffer/" + name] = buffer;
        foreach (var (name, parameter) in Frozen()) tensors["frozen/" + name] = parameter;
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>
        {
            [StepKey] = _optimiser.Steps.ToString(CultureInfo.InvariantCulture),
            ["seed"] = _options.Seed.ToString(CultureInfo.InvariantCulture),
        });
    }

    public void Load(string path)
    {
        using var reader = new SafetensorsReader(path);
        if (!reader.Metadata.TryGetValue(StepKey, out var text) || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step))
            throw new ModelRefusedException(path, "is not a training state; give the state.safetensors that `train` wrote");
        using var none = no_grad();
        _optimiser.Restore(step, (name, tensor) => Fill(reader, name, tensor));
        if (Averages) foreach (var (name, average) in _averages) Fill(reader, "average/" + name, average);
        foreach (var (name, buffer) in _network.named_buffers()) Fill(reader, "buffer/" + name, buffer);
        foreach (var (name, parameter) in Frozen()) Fill(reader, "frozen/" + name, parameter);
    }

    /// <param name="keyMap">How a file of this network names its tensors (PublishedKeyMaps).</param>
    public LoadReport LoadWeights(string path, string keyMap)
    {
        using var reader = CheckpointFiles.Open(path);
        using var none = no_grad();
        using var scope = NewDisposeScope();
        // What learns is read into its float32 master, under each of its names.
        var state = _network.state_dict().Where(one => InModel(one.Key)).ToDictionary();
        var masters = _optimiser.Masters.Where(one => InModel(one.Name)).ToDictionary(one => state[one.Name].Handle, one => one.Master);
        var targets = state.ToDictionary(one => one.Key, one => masters.GetValueOrDefault(one.Value.Handle, one.Value));
        var report = StableDiffusion.IsIn(reader) ? StableDiffusion.Initialise(targets, reader, path) : CheckpointLoader.Load(targets, reader, PublishedKeyMaps.Named(keyMap), path);
        _optimiser.Restore(0, static (_, _) => { });
        if (Averages) foreach (var (name, value) in Averaged()) _averages[name].copy_(value);
        return report;
    }

    public void SaveWeights(string path)
    {
        var tensors = new Dictionary<string, Tensor>(_averages);
        foreach (var (name, buffer) in _network.named_buffers()) tensors.TryAdd(name, buffer);
        foreach (var (name, parameter) in Frozen()) tensors[name] = parameter;
        foreach (var name in tensors.Keys.Where(name => !InModel(name)).ToList()) tensors.Remove(name);
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { [StepKey] = _optimiser.Steps.ToString(CultureInfo.InvariantCulture) }, ScalarType.Float16);
    }

    private bool InModel(string name) => _scaffold is null || !name.StartsWith(_scaffold, StringComparison.Ordinal);

    /// <summary>Means and variances of the batch norms. Averaged weights with the statistics of the raw ones score worse than either (measured).</summary>
    private IEnumerable<(string Name, Tensor Buffer)> Statistics() => _network.named_buffers().Where(buffer => buffer.buffer.is_floating_point());

    /// <summary>What does not learn: part of the model, so of its state and weights, too.</summary>
    private IEnumerable<(string Name, Tensor Value)> Frozen() => _network.named_parameters().Where(one => !one.parameter.requires_grad).Select(one => (one.name, (Tensor)one.parameter));

    /// <summary>Also where the tensor lives on a device files are not read into.</summary>
    private static void Fill(SafetensorsReader reader, string name, Tensor tensor)
    {
        if (tensor.device_type == DeviceType.CPU)
        {
            reader.ReadInto(name, tensor);
            return;
        }
        using var scope = NewDisposeScope();
        tensor.copy_(reader.Read(name));
    }

    public void Dispose()
    {
        foreach (var average in _averages.Values) average.Dispose();
    }
}
