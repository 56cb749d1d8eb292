using Microsoft.ML.OnnxRuntime;

namespace MetaPrompts.Benchmarks;

/// <summary>An ONNX file in ONNX Runtime: on the CPU, one node after the other, every graph optimisation it has. Its threads spin while a call runs, as they do by default; not between calls, where they would take the cores of whoever is timed next.</summary>
internal sealed class OnnxNetwork : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string[] _inputs, _outputs;

    /// <param name="threads">That share an operation; 1: the caller's alone.</param>
    /// <exception cref="OnnxRuntimeException">No such file, or not one of ONNX.</exception>
    public OnnxNetwork(string path, int threads)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
        };
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        _session = new InferenceSession(path, options);
        // Not sorted: in the order of the file, which the next part has, too.
        (_inputs, _outputs) = ([.. _session.InputNames], [.. _session.OutputNames]);
    }

    public static string Version => OrtEnv.Instance().GetVersionString();

    public IReadOnlyList<string> Outputs => _outputs;

    /// <summary>Of the only input, all constants.</summary>
    public long[] InputShape => [.. _session.InputMetadata[_inputs[0]].Dimensions.Select(side => (long)side)];

    /// <summary>Any thread may.</summary>
    /// <param name="inputs">In the file's order, borrowed.</param>
    /// <returns>In the file's order, the caller's.</returns>
    public IDisposableReadOnlyCollection<OrtValue> Run(IReadOnlyCollection<OrtValue> inputs) => _session.Run(_run, _inputs, inputs, _outputs);

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
