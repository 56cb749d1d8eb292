using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli.Display;

/// <summary>
/// What a service says on stderr, a line a message: for people (<c>2026-11-23T05:00:00.123Z warning 201 front: lost …</c>) or for machines (one JSON object with the message's own fields).
/// Everything goes through <see cref="Redaction"/>.
/// </summary>
internal sealed class ServiceLog(LogLevel least, bool json, TextWriter output, TimeProvider? time = null) : ILogger
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();

    public static LogLevel Level(string word) => word switch
    {
        "debug" => LogLevel.Debug,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var now = _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var text = Redaction.Of(formatter(state, exception)).ReplaceLineEndings(" ");
        var line = json ? Json(now, logLevel, eventId, text, state as IReadOnlyList<KeyValuePair<string, object?>>) : $"{now} {Word(logLevel)} {eventId.Id} {text}";
        lock (_lock) output.WriteLine(line);
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        _ => "error",
    };

    private static string Json(string now, LogLevel level, EventId eventId, string text, IReadOnlyList<KeyValuePair<string, object?>>? fields)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("time", now);
            writer.WriteString("level", Word(level));
            writer.WriteNumber("event", eventId.Id);
            writer.WriteString("message", text);
            foreach (var (key, value) in fields ?? [])
            {
                if (key == "{OriginalFormat}" || value is null) continue;
                var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(key);
                if (value is int or long) writer.WriteNumber(name, System.Convert.ToInt64(value, CultureInfo.InvariantCulture));
                else if (value is double real && double.IsFinite(real)) writer.WriteNumber(name, real);
                else writer.WriteString(name, Redaction.Of(value.ToString() ?? ""));
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
