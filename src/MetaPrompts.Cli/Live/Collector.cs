using System.Diagnostics.Tracing;
using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;

namespace MetaPrompts.Cli.Live;

/// <summary>The OpenTelemetry collector that metrics are sent to (<c>telemetry.otlp</c>). The exporter keeps its troubles to itself; the first of each kind is told here.</summary>
internal sealed class Collector(string url, ILogger log) : EventListener
{
    private const string Exporter = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    /// <summary>Of OTLP by HTTP; 4317, and every other, is gRPC's.</summary>
    private const int HttpPort = 4318;

    private const int MostTold = 5;

    private readonly HashSet<int> _told = [];

    /// <summary>gRPC, unless the port or a path says HTTP; the path is then the collector's usual one where there is none.</summary>
    public void Address(OtlpExporterOptions exporter)
    {
        var address = new Uri(url);
        var byHttp = address.Port == HttpPort || address.AbsolutePath != "/";
        exporter.Protocol = byHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        exporter.Endpoint = byHttp && address.AbsolutePath == "/" ? new Uri(address, "/v1/metrics") : address;
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Exporter) EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        lock (_told)
        {
            if (_told.Count >= MostTold || !_told.Add(eventData.EventId)) return;
        }

        // The address, and what went wrong: an exception with its stack, of which the first line is for people.
        var why = eventData.Payload?.LastOrDefault()?.ToString()?.Split(['\n', '\r'])[0].Split(" ---> ")[0] ?? eventData.EventName ?? "";
        log.CollectorAway(Redaction.Of(url), Redaction.Of(why.Length > 200 ? why[..200] + "…" : why));
    }
}
