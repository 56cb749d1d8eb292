using System.Net;
using System.Text;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;

namespace MetaPrompts.Cli.Live;

/// <summary><c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c> of one service, and its metrics on their way to a collector.</summary>
internal sealed class TelemetryServer : IAsyncDisposable
{
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] Frames = [1, 2, 4, 8, 16, 32, 64];

    private readonly MeterProvider? _meters;
    private readonly HttpListener? _listener;
    private readonly Readiness _readiness;
    private readonly IDisposable? _collector;
    private readonly Task _serving = Task.CompletedTask;

    private TelemetryServer(MeterProvider? meters, HttpListener? listener, IDisposable? collector, Readiness readiness)
    {
        (_meters, _listener, _collector, _readiness) = (meters, listener, collector, readiness);
        if (listener is not null) _serving = Task.Run(() => ServeAsync(listener));
    }

    /// <exception cref="ConfigurationException">The address is taken, or not this machine's.</exception>
    public static TelemetryServer Start(TelemetrySettings settings, string node, Readiness readiness, ILogger log)
    {
        if (settings.Http is null && settings.Otlp is null) return new TelemetryServer(null, null, null, readiness);
        var meters = Sdk.CreateMeterProviderBuilder()
            .AddMeter(Instruments.MeterName)
            .ConfigureResource(resource => OpenTelemetry.Resources.ResourceBuilderExtensions.AddService(resource, "metaprompts", serviceVersion: ProductVersion.Current, serviceInstanceId: node))
            .AddView(instrument => instrument.Unit == "s" ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds } : instrument.Name == "metaprompts.batch.size" ? new ExplicitBucketHistogramConfiguration { Boundaries = Frames } : null);
        Collector? collector = settings.Otlp is { } otlp ? new Collector(otlp, log) : null;
        if (collector is not null) meters.AddOtlpExporter(collector.Address);
        HttpListener? listener = null;
        try
        {
            if (settings.Http is { } http && HttpAddress.TryParse(http, out var address))
            {
                meters.AddPrometheusHttpListener(options =>
                {
                    (options.Port, options.ScrapeEndpointPath) = (address!.Port, "/metrics");
                    // The exporter makes a URI of its host, and "every address of this machine" is none.
                    options.ConfigureHttpListener = (_, exporter) =>
                    {
                        exporter.Prefixes.Clear();
                        exporter.Prefixes.Add($"{address.Prefix}metrics/");
                    };
                    (options.ScopeInfoEnabled, options.ScrapeResponseCacheDurationMilliseconds) = (false, 0);
                });
                // A second listener on the same address: the platform hands each request to the one with the longest fitting path.
                listener = new HttpListener();
                listener.Prefixes.Add(address!.Prefix);
                listener.Start();
            }

            return new TelemetryServer(meters.Build(), listener, collector, readiness);
        }
        catch (Exception e) when (e is HttpListenerException or System.Net.Sockets.SocketException or InvalidOperationException)
        {
            listener?.Close();
            collector?.Dispose();
            throw new ConfigurationException("telemetry.http", $"{settings.Http} cannot be listened on ({e.Message.TrimEnd('.')}); choose another port, or none");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener?.Close();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _meters?.Dispose();
        _collector?.Dispose();
    }

    private async Task ServeAsync(HttpListener listener)
    {
        while (listener.IsListening)
        {
            var context = await listener.GetContextAsync().ConfigureAwait(false);
            try
            {
                await AnswerAsync(context).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpListenerException or IOException or InvalidOperationException)
            {
                // Who asked has gone.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var (status, text) = (context.Request.HttpMethod, context.Request.Url?.AbsolutePath) switch
        {
            ("GET" or "HEAD", "/healthz") => (200, "alive\n"),
            ("GET" or "HEAD", "/readyz") => (_readiness.IsReady ? 200 : 503, _readiness.Describe()),
            ("GET" or "HEAD", _) => (404, "there are /healthz, /readyz and /metrics\n"),
            _ => (405, "only GET\n"),
        };
        using var response = context.Response;
        var body = Encoding.UTF8.GetBytes(text);
        (response.StatusCode, response.ContentType, response.ContentLength64) = (status, "text/plain; charset=utf-8", body.Length);
        response.Headers["Cache-Control"] = "no-store";
        if (context.Request.HttpMethod != "HEAD") await response.OutputStream.WriteAsync(body).ConfigureAwait(false);
    }
}
