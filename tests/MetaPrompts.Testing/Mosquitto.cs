using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MetaPrompts.Testing;

/// <summary>A real broker of its own, on a free port of this machine, gone when disposed. Debian's package puts it into /usr/sbin.</summary>
public sealed class Mosquitto : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mosquitto-").FullName;
    private readonly string[] _settings;
    private Process? _process;

    private Mosquitto(string[] settings) => _settings = settings;

    public int Port { get; } = FreePort();

    public string Url => $"mqtt://127.0.0.1:{Port}";

    /// <summary>Where the program is; null where it is not installed: then skip.</summary>
    public static string? Program { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/usr/local/sbin").Select(folder => Path.Combine(folder, "mosquitto")).FirstOrDefault(File.Exists);

    /// <param name="settings">Lines of its configuration after the listener's.</param>
    public static async Task<Mosquitto> StartAsync(params string[] settings)
    {
        var broker = NotStarted(settings);
        await broker.StartAsync();
        return broker;
    }

    /// <summary>Its port is known, but nobody listens there yet.</summary>
    public static Mosquitto NotStarted(params string[] settings) => new(settings);

    public async Task StartAsync()
    {
        var configuration = Path.Combine(_folder, "mosquitto.conf");
        await File.WriteAllLinesAsync(configuration, [$"listener {Port} 127.0.0.1", .. _settings.Any(s => s.StartsWith("allow_anonymous", StringComparison.Ordinal)) ? [] : new[] { "allow_anonymous true" }, .. _settings]);
        _process = Process.Start(new ProcessStartInfo(Program!, ["-c", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += static (_, _) => { };
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (var i = 0; i < 250; i++)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                await Task.Delay(20);
            }
        }

        throw new InvalidOperationException($"mosquitto does not listen on {Port}");
    }

    /// <summary>Without a word, as when the power goes.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        Signal("CONT");
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Connections stand, nothing is read or answered.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A port nobody listens on. Below those that the system gives to outgoing connections (from 32768), or one of these could take it before whoever asked here listens.</summary>
    public static int FreePort()
    {
        for (var tries = 0; ; tries++)
        {
            var port = Random.Shared.Next(15_000, 32_000);
            using var listener = new TcpListener(IPAddress.Any, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException) when (tries < 100)
            {
                // Taken.
            }
        }
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }
}
