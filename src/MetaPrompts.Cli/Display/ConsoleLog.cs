using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli.Display;

/// <summary>What the corridor logs, as lines on stderr: warnings, and with <c>--verbose</c> everything else. Errors reach the user as the error line of the run and are not told twice.</summary>
internal sealed class ConsoleLog(bool verbose) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => verbose ? logLevel >= LogLevel.Debug : logLevel == LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var text = formatter(state, exception);
        if (logLevel == LogLevel.Warning) Terminal.Warn(text);
        else Terminal.Note($"metaprompts: {text}");
    }
}
