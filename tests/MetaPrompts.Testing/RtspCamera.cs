using System.Diagnostics;
using System.Globalization;

namespace MetaPrompts.Testing;

/// <summary>
/// A real camera: GStreamer's RTSP server in a process of its own, serving <c>/cam</c> as H.264 at 320x240. Every picture carries its number, counted by the camera from 0, as 24 black or white blocks in its
/// upper half, so that a reader can tell which frames it got and which it did not.
/// </summary>
public sealed class RtspCamera : IAsyncDisposable
{
    public const int Width = 320, Height = 240;

    private const int Bits = 24, Columns = 8, Rows = 3;

    private const string Python = "/usr/bin/python3";

    private const string Script = """
        import sys, gi
        gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')
        from gi.repository import Gst, GstRtspServer, GLib
        Gst.init(None)
        port, rate, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
        W, H = 320, 240
        def picture(n):
            rows = []
            for r in range(3):
                line = b''.join((b'\xe6' if (n >> (r * 8 + c)) & 1 else b'\x19') * 40 for c in range(8))
                rows.append(line * 40)
            grey = 60 + n % 100
            return b''.join(rows) + bytes([grey]) * (W * (H - 120))
        class Factory(GstRtspServer.RTSPMediaFactory):
            def __init__(self):
                super().__init__()
                self.set_launch('( appsrc name=src is-live=true do-timestamp=false format=time caps=video/x-raw,format=GRAY8,width=%d,height=%d,framerate=%d/1 ! videoconvert ! video/x-raw,format=I420 '
                    '! x264enc tune=zerolatency speed-preset=ultrafast bitrate=1500 key-int-max=%d ! rtph264pay name=pay0 pt=96 config-interval=1 )' % (W, H, rate, rate))
                self.set_shared(True)
                self.n = 0
            def do_configure(self, media):
                src = media.get_element().get_by_name('src')
                first = self.n
                def push():
                    data = picture(self.n)
                    buffer = Gst.Buffer.new_wrapped(data)
                    buffer.pts = (self.n - first) * Gst.SECOND // rate
                    buffer.duration = Gst.SECOND // rate
                    self.n += 1
                    return src.emit('push-buffer', buffer) == Gst.FlowReturn.OK
                GLib.timeout_add(1000 // rate, push)
        server = GstRtspServer.RTSPServer()
        server.set_address('127.0.0.1'); server.set_service(port)
        factory = Factory()
        if password != '-':
            auth = GstRtspServer.RTSPAuth()
            token = GstRtspServer.RTSPToken()
            token.set_string('media.factory.role', 'user')
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic('viewer', password), token)
            server.set_auth(auth)
            rights = GstRtspServer.RTSPPermissions()
            rights.add_permission_for_role('user', 'media.factory.access', True)
            rights.add_permission_for_role('user', 'media.factory.construct', True)
            factory.set_permissions(rights)
        server.get_mount_points().add_factory('/cam', factory)
        server.attach(None)
        print('serving', flush=True)
        GLib.MainLoop().run()
        """;

    private static readonly Lazy<bool> Present = new(() =>
    {
        if (!File.Exists(Python)) return false;
        using var python = Process.Start(new ProcessStartInfo(Python, ["-c", "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst; Gst.init(None); assert all(Gst.ElementFactory.find(e) for e in ('appsrc', 'x264enc', 'rtph264pay'))"])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        python.StandardError.ReadToEnd();
        python.WaitForExit();
        return python.ExitCode == 0;
    });

    private readonly string _password;
    private readonly int _rate;
    private Process? _process;

    private RtspCamera(int rate, string? password) => (_rate, _password) = (rate, password ?? "-");

    public static bool IsInstalled => Present.Value;

    public int Port { get; } = Mosquitto.FreePort();

    public string Url => $"rtsp://127.0.0.1:{Port}/cam";

    /// <param name="password">Of the user <c>viewer</c>; null: everybody may look.</param>
    public static async Task<RtspCamera> StartAsync(int rate = 25, string? password = null)
    {
        var camera = new RtspCamera(rate, password);
        await camera.StartAsync();
        return camera;
    }

    /// <summary>Its port is known, but nobody answers there yet.</summary>
    public static RtspCamera NotStarted(int rate = 25) => new(rate, null);

    /// <summary>Counts from 0 again.</summary>
    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo(Python, ["-c", Script, Port.ToString(CultureInfo.InvariantCulture), _rate.ToString(CultureInfo.InvariantCulture), _password]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        if (await _process.StandardOutput.ReadLineAsync() != "serving") throw new InvalidOperationException("the RTSP server did not start");
    }

    /// <summary>Without a word, as when its cable is pulled and the machine reboots.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>The connection stands, nothing comes.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public async ValueTask DisposeAsync() => await KillAsync();

    /// <summary>The number a picture carries, of any size.</summary>
    /// <param name="rgb">[H, W, 3].</param>
    public static int Number(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var number = 0;
        for (var bit = 0; bit < Bits; bit++)
        {
            var x = (int)(((bit % Columns) + 0.5) * width / Columns);
            var y = (int)(((bit / Columns) + 0.5) * (height / 2) / Rows);
            if (rgb[((y * width) + x) * 3] > 127) number |= 1 << bit;
        }

        return number;
    }

    /// <summary>Whether every part of a picture at the camera's size is as the camera painted it.</summary>
    /// <param name="rgb">[240, 320, 3].</param>
    public static bool IsWhole(ReadOnlySpan<byte> rgb, int number)
    {
        const int Tolerance = 12;
        const int Step = 5;                                                     // every fifth pixel, and none on the edge of a block
        for (var y = Step / 2; y < Height; y += Step)
        {
            for (var x = Step / 2; x < Width; x += Step)
            {
                var bit = (y / 40 * Columns) + (x / 40);
                var painted = y >= Height / 2 ? 60 + (number % 100) : (number >> bit & 1) == 1 ? 0xe6 : 0x19;
                // What it paints is luma, of 16 to 235.
                if (Math.Abs(rgb[((y * Width) + x) * 3] - ((painted - 16) * 255 / 219)) > Tolerance) return false;
            }
        }

        return true;
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }
}
