using System.Net.Sockets;
using System.Text;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace MetaPrompts.Cli.Live;

/// <summary><c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c> of one service, and its metrics on their way to a collector. Why Kestrel serves them: docs/decisions/0032.</summary>
internal sealed class TelemetryServer : IAsyncDisposable
{
    // Probes and scrapers are few; whoever opens connections without end gets these and no file handles of the cameras'.
    private const int MostConnections = 64;

    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] Frames = [1, 2, 4, 8, 16, 32, 64];
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(1);

    private readonly MeterProvider? _meters;
    private readonly WebApplication? _pages;
    private readonly IDisposable? _collector;

    private TelemetryServer(MeterProvider? meters, WebApplication? pages, IDisposable? collector) => (_meters, _pages, _collector) = (meters, pages, collector);

    /// <exception cref="ConfigurationException">The address is taken, or not this machine's.</exception>
    public static async Task<TelemetryServer> StartAsync(TelemetrySettings settings, string node, Readiness readiness, ILogger log)
    {
        if (settings.Http is null && settings.Otlp is null) return new TelemetryServer(null, null, null);
        var meters = Sdk.CreateMeterProviderBuilder()
            .AddMeter(Instruments.MeterName)
            .ConfigureResource(resource => OpenTelemetry.Resources.ResourceBuilderExtensions.AddService(resource, "metaprompts", serviceVersion: ProductVersion.Current, serviceInstanceId: node))
            .AddView(instrument => instrument.Unit == "s" ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds } : instrument.Name == "metaprompts.batch.size" ? new ExplicitBucketHistogramConfiguration { Boundaries = Frames } : null);
        Collector? collector = settings.Otlp is { } otlp ? new Collector(otlp, log) : null;
        if (collector is not null) meters.AddOtlpExporter(collector.Address);
        if (settings.Http is null || !HttpAddress.TryParse(settings.Http, out var address)) return new TelemetryServer(meters.Build(), null, collector);
        meters.AddPrometheusExporter(options => (options.ScopeInfoEnabled, options.ScrapeResponseCacheDurationMilliseconds) = (false, 0));
        var server = new TelemetryServer(meters.Build(), null, collector);
        try
        {
            server = new TelemetryServer(server._meters, Pages(address!, server._meters!, readiness), collector);
            await server._pages!.StartAsync().ConfigureAwait(false);
            return server;
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw new ConfigurationException("telemetry.http", $"{settings.Http} cannot be listened on ({(e.GetBaseException() as SocketException ?? e).Message.TrimEnd('.')}); choose another port, or none");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_pages is not null)
        {
            // Whoever still reads a page has this long.
            using var goodbye = new CancellationTokenSource(Goodbye);
            await _pages.StopAsync(goodbye.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _pages.DisposeAsync().ConfigureAwait(false);
        }

        _meters?.Dispose();
        _collector?.Dispose();
    }

    private static WebApplication Pages(HttpAddress address, MeterProvider meters, Readiness readiness)
    {
        // Nothing of a web application's defaults: no settings from files or variables, no logs, no signals.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            (kestrel.Limits.MaxRequestBodySize, kestrel.Limits.MaxConcurrentConnections) = (0, MostConnections);
            Listen(kestrel, address);
        });
        var pages = builder.Build();
        pages.Use(ReadOnly);
        pages.UseOpenTelemetryPrometheusScrapingEndpoint(meters, predicate: null, path: "/metrics", configureBranchedPipeline: null, optionsName: null);
        pages.Run(context => AnswerAsync(context, readiness));
        return pages;
    }

    private static void Listen(KestrelServerOptions kestrel, HttpAddress address)
    {
        if (address.IsEverywhere)
        {
            kestrel.ListenAnyIP(address.Port);
            return;
        }

        foreach (var ip in address.Resolve()) kestrel.Listen(ip, address.Port);
    }

    private static Task ReadOnly(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) ? next(context) : SayAsync(context, StatusCodes.Status405MethodNotAllowed, "only GET\n");
    }

    private static Task AnswerAsync(HttpContext context, Readiness readiness) => context.Request.Path.Value switch
    {
        "/healthz" => SayAsync(context, StatusCodes.Status200OK, "alive\n"),
        "/readyz" => SayAsync(context, readiness.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, readiness.Describe()),
        _ => SayAsync(context, StatusCodes.Status404NotFound, "there are /healthz, /readyz and /metrics\n"),
    };

    private static async Task SayAsync(HttpContext context, int status, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        (context.Response.StatusCode, context.Response.ContentType, context.Response.ContentLength) = (status, "text/plain; charset=utf-8", body.Length);
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body).ConfigureAwait(false);
    }

    /// <summary>The program's own <see cref="Signals"/> say when it ends, not the host.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
