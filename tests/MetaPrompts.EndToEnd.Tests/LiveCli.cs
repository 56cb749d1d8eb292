using System.Diagnostics;
using System.Text.Json;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>A service under test: the program with a configuration of its own, and its HTTP side.</summary>
internal sealed class LiveCli : IDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private readonly Cli _cli;
    private readonly int _port;

    private LiveCli(Cli cli, int port) => (_cli, _port) = (cli, port);

    public int Id => _cli.Id;

    public bool HasExited => _cli.HasExited;

    /// <param name="yaml">Without telemetry.</param>
    public static LiveCli Start(Workspace workspace, string yaml, params string[] more) => StartBehind([], workspace, yaml, more);

    /// <inheritdoc cref="Start"/>
    /// <param name="before">A command that changes how it runs; signals go to it.</param>
    public static LiveCli StartBehind(string[] before, Workspace workspace, string yaml, params string[] more)
    {
        var port = FreePort();
        File.WriteAllText(workspace["service.yaml"], $"{yaml}\ntelemetry: {{ http: \"127.0.0.1:{port}\" }}\n");
        return new LiveCli(Cli.StartBehind(before, workspace.Folder, ["run", "-c", "service.yaml", "--json", .. more]), port);
    }

    public async Task<(int Status, string Text)> GetAsync(string path)
    {
        using var response = await Http.GetAsync(new Uri($"http://127.0.0.1:{_port}{path}"));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>What it answers to a request of any kind.</summary>
    public async Task<(int Status, string Text)> SayAsync(HttpMethod method, string path, byte[]? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{_port}{path}")) { Content = body is null ? null : new ByteArrayContent(body) };
        using var response = await Http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Waits for a page to be as wanted.</summary>
    public async Task<string> UntilAsync(string path, Func<int, string, bool> wanted, double seconds = 90)
    {
        var clock = Stopwatch.StartNew();
        var last = "nothing";
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            try
            {
                var (status, text) = await GetAsync(path);
                last = $"{status} {text}";
                if (wanted(status, text)) return text;
            }
            catch (HttpRequestException)
            {
                if (HasExited) throw new InvalidOperationException($"{path}: the service has ended; it said:\n{(await _cli.EndAsync()).Error}");
            }

            await Task.Delay(50);                                                   // not listening yet, or not as wanted
        }

        throw new TimeoutException($"{path}: {last}");
    }

    /// <summary>Asks without a pause until <paramref name="stop"/>.</summary>
    /// <returns>How often it was answered.</returns>
    public async Task<int> KnockAsync(CancellationToken stop)
    {
        var answers = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await GetAsync(answers % 2 == 0 ? "/healthz" : "/metrics");
                answers++;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(1, CancellationToken.None);
            }
        }

        return answers;
    }

    public Task ReadyAsync() => UntilAsync("/readyz", (status, _) => status == 200);

    public void Signal(string signal, bool twice = false) => _cli.Signal(signal, twice: twice);

    /// <summary>How it ended, and its last line.</summary>
    public async Task<(CliResult Result, JsonElement Ledger)> EndAsync()
    {
        var result = await _cli.EndAsync();
        var last = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault(line => line.StartsWith('{'));
        Assert.True(last is not null, result.Error);
        return (result, JsonDocument.Parse(last).RootElement);
    }

    /// <summary>Every captured frame has one outcome.</summary>
    public static void Reconciles(JsonElement ledger)
    {
        foreach (var stream in ledger.GetProperty("streams").EnumerateArray())
            Assert.Equal(stream.GetProperty("captured").GetInt64(), stream.GetProperty("outcomes").EnumerateObject().Sum(o => o.Value.GetInt64()));
    }

    public static int FreePort() => Testing.Mosquitto.FreePort();

    public void Dispose() => _cli.Dispose();
}
