using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MetaPrompts.Benchmarks;
using MetaPrompts.Core.Frames;
using MetaPrompts.Model.Inference;

if (args is ["mqtt"])
{
    await MqttLatency.RunAsync();
    return;
}

if (args is ["sinks"])
{
    await SinkIsolation.RunAsync();
    return;
}

if (args is ["full-size", var name, var folder, var height, var width])
{
    TorchRuntime.Prepare();
    FullSizeModel.Write(name, folder, new ImageSize(int.Parse(height, CultureInfo.InvariantCulture), int.Parse(width, CultureInfo.InvariantCulture)));
    return;
}

if (args is ["training", _, _, _, _, _, "kept" or "again", ..])
{
    TorchRuntime.Prepare();
    TrainingMemory.Run(args[1..]);
    return;
}

if (args is ["onnx", _, _, ..])
{
    TorchRuntime.Prepare();
    Environment.ExitCode = OnnxComparison.Run(args[1..]);
    return;
}

// In this process: the native libraries lie beside this program, and a child built elsewhere would not find them.
TorchRuntime.Prepare();
BenchmarkSwitcher.FromTypes([typeof(ModelBenchmarks), typeof(BlockBenchmarks), typeof(EnlargingBenchmarks), typeof(DoublingBenchmarks), typeof(LinearBenchmarks), typeof(AttentionBenchmarks), typeof(DrawingBenchmarks)]).Run(args, DefaultConfig.Instance
    .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(12).WithInvocationCount(1).WithUnrollFactor(1)));
