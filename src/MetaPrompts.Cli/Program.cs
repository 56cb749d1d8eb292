using System.CommandLine;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Cli.Verbs;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Cli;

/// <summary>The verbs, and the one place where an exit code is decided (contract §2).</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        ProcessTitle.Redact();
        var verbose = args.Contains("--verbose");
        OpenCvRuntime.Prepare();
        using var signals = new Signals();
        try
        {
            var parsed = Root(signals).Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            UsageErrors.Check(parsed);
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, signals.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            return signals.Abort.IsCancellationRequested ? ExitCodes.Aborted : ExitCodes.Done;
        }
        catch (Exception e)
        {
            return ErrorLine.Write(e, verbose);
        }
    }

    private static RootCommand Root(Signals signals) => new("Turns video into depth, segmentation and pose, from files and cameras, with MetaPrompts models.")
    {
        Process.Create(signals),
        Run.Create(signals),
        Config.Create(),
        Train.Create(),
        Eval.Create(),
        Scenes.Create(),
        Bench.Create(signals),
        ModelVerb.Create(),
        Inspect.Create(),
        Listen.Create(),
        Doctor.Create(),
    };
}
