using System.Diagnostics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>Rows 31 and 32: who may talk to whom, what is said when not, and that nothing secret is.</summary>
public sealed class MqttSecurityTests
{
    private const string Secret = "correct-horse-battery";

    [Fact]
    public async Task AKnownAuthorityIsTrustedAndNoOther()
    {
        Publisher.NeedMosquitto();
        using var authority = new Certificates();
        using var stranger = new Certificates("a stranger");
        var (certificate, key) = authority.Sign("127.0.0.1");
        await using var broker = await Mosquitto.StartAsync($"cafile {authority.Authority}", $"certfile {certificate}", $"keyfile {key}");
        await OpensAsync(broker, new MqttTlsOptions { Ca = authority.Authority });
        await FailsAsync(broker, new MqttTlsOptions { Ca = stranger.Authority }, "tls", "not signed by tls.ca");
        await FailsAsync(broker, new MqttTlsOptions(), "tls", "not trusted");
    }

    [Theory]
    [InlineData("127.0.0.1", true, "NotTimeValid")]
    [InlineData("elsewhere.example", false, "another host name")]
    public async Task AnExpiredOrForeignCertificateIsRefused(string name, bool expired, string why)
    {
        Publisher.NeedMosquitto();
        using var authority = new Certificates();
        var (certificate, key) = authority.Sign(name, expired);
        await using var broker = await Mosquitto.StartAsync($"cafile {authority.Authority}", $"certfile {certificate}", $"keyfile {key}");
        await FailsAsync(broker, new MqttTlsOptions { Ca = authority.Authority }, "tls", why);
    }

    [Fact]
    public async Task ABrokerMayAskForOurCertificate()
    {
        Publisher.NeedMosquitto();
        using var authority = new Certificates();
        using var stranger = new Certificates("a stranger");
        var (certificate, key) = authority.Sign("127.0.0.1");
        var (mine, mineKey) = authority.Sign("edge");
        var (theirs, theirsKey) = stranger.Sign("edge");
        await using var broker = await Mosquitto.StartAsync($"cafile {authority.Authority}", $"certfile {certificate}", $"keyfile {key}", "require_certificate true");
        await OpensAsync(broker, new MqttTlsOptions { Ca = authority.Authority, Certificate = mine, Key = mineKey });
        await FailsAsync(broker, new MqttTlsOptions { Ca = authority.Authority }, "tls", "tls.certificate");
        await FailsAsync(broker, new MqttTlsOptions { Ca = authority.Authority, Certificate = theirs, Key = theirsKey }, "tls", "tls.certificate");
    }

    /// <summary>An encrypted URL never ends in plain text, whatever the other side speaks.</summary>
    [Fact]
    public async Task ThereIsNoWayBackToPlainText()
    {
        Publisher.NeedMosquitto();
        await using var plain = await Mosquitto.StartAsync();
        await using var ear = await Ear.AtAsync(plain.Port);
        var (limits, problem) = await MqttSink.ProbeAsync(Publisher.Options($"mqtts://127.0.0.1:{plain.Port}") with { Timeout = TimeSpan.FromSeconds(1) }, CancellationToken.None);
        Assert.Null(limits);
        Assert.NotNull(problem);
        Assert.Empty(ear.All);
    }

    [Fact]
    public async Task AWrongPasswordIsSaidOnceAndTriedSlowly()
    {
        await using var broker = new DeafBroker(reason: 0x86).Start();
        var log = new LogLines();
        var options = Publisher.Options(broker.Url.Replace("mqtt://", $"mqtt://edge:{Secret}@", StringComparison.Ordinal)) with { Reconnect = new ReconnectOptions { Initial = TimeSpan.FromMilliseconds(10), Max = TimeSpan.FromSeconds(2) } };
        var started = Stopwatch.GetTimestamp();
        await using var sink = Publisher.Start(options, log);
        await Publisher.UntilAsync(() => broker.Connections == 3, "third attempt");
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 1.9, 60); // two waits of at least half the slowest pace; the quickest pace would be milliseconds
        Assert.Equal("authentication", sink.Problem!.Code);
        Assert.Single(log.Lines, line => line.Contains("does not accept user and password", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PasswordsOpenAndAppearNowhere()
    {
        Publisher.NeedMosquitto();
        var passwords = Path.GetTempFileName();
        using (var tool = Process.Start(Path.Combine("/usr/bin", "mosquitto_passwd"), ["-b", "-c", passwords, "edge", Secret])) await tool.WaitForExitAsync();
        Certificates.LetAllRead(passwords);
        await using var broker = await Mosquitto.StartAsync("allow_anonymous false", $"password_file {passwords}");
        var log = new LogLines();
        foreach (var (user, password) in new[] { ("edge", Secret), ("edge", Secret + "!"), ("nobody", Secret) })
        {
            var url = $"mqtt://{user}:{Uri.EscapeDataString(password)}@127.0.0.1:{broker.Port}";
            await using var sink = Publisher.Start(Publisher.Options(url), log);
            if (password == Secret && user == "edge")
            {
                await Publisher.UntilAsync(() => sink.Broker is not null, "connected");
            }
            else
            {
                await Publisher.UntilAsync(() => sink.Problem?.Code == "authentication", "refused");
                Assert.DoesNotContain(Secret, sink.Problem!.Text, StringComparison.Ordinal);
            }
        }

        // The separate keys go before what stands in the URL.
        var (limits, _) = await MqttSink.ProbeAsync(Publisher.Options($"mqtt://x:y@127.0.0.1:{broker.Port}") with { Username = "edge", Password = Secret }, CancellationToken.None);
        Assert.NotNull(limits);
        Assert.Contains(log.Lines, line => line.Contains("mqtt://***@127.0.0.1", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(Secret, StringComparison.Ordinal) || line.Contains("nobody", StringComparison.Ordinal));
        var refused = Assert.Throws<ConfigurationException>(() => Publisher.Options($"http://edge:{Secret}@host").Checked());
        Assert.DoesNotContain(Secret, refused.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(() => (Publisher.Options("mqtt://host") with { Tls = new MqttTlsOptions { Ca = "ca.pem" } }).Checked());
        File.Delete(passwords);
    }

    [Fact]
    public async Task ARefusalByAccessRulesIsCounted()
    {
        Publisher.NeedMosquitto();
        var rules = Path.GetTempFileName();
        await File.WriteAllLinesAsync(rules, ["topic readwrite metaprompts/v1/edge/status", "topic readwrite metaprompts/v1/edge/streams/back/#", "topic read metaprompts/#"]);
        Certificates.LetAllRead(rules);
        await using var broker = await Mosquitto.StartAsync($"acl_file {rules}");
        var log = new LogLines();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Depth = new MqttMapOptions { Enabled = false }, Segmentation = new MqttMapOptions { Enabled = false } }, log);
        for (var seq = 0; seq < 4; seq++)
        {
            await sink.WriteAsync(Publisher.Front, seq);
            await sink.WriteAsync(Publisher.Back, seq);
        }

        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(new DeliveryCounts(8, 4, 0, 0, 0, 4, 0), sink.Delivery);
        Assert.Single(log.Lines, line => line.Contains("refuses metaprompts/v1/edge/streams/front/frame", StringComparison.Ordinal));
    }

    private static async Task OpensAsync(Mosquitto broker, MqttTlsOptions tls)
    {
        var (limits, problem) = await MqttSink.ProbeAsync(Publisher.Options($"mqtts://127.0.0.1:{broker.Port}") with { Tls = tls, Timeout = TimeSpan.FromSeconds(5) }, CancellationToken.None);
        Assert.True(limits is not null, problem?.Text);
    }

    private static async Task FailsAsync(Mosquitto broker, MqttTlsOptions tls, string code, string why)
    {
        var log = new LogLines();
        await using var sink = Publisher.Start(Publisher.Options($"mqtts://127.0.0.1:{broker.Port}") with { Tls = tls, Timeout = TimeSpan.FromSeconds(5) }, log);
        await Publisher.UntilAsync(() => sink.Problem is not null, "refused");
        await Task.Delay(600);
        Assert.Equal(code, sink.Problem!.Code);
        Assert.Contains(why, sink.Problem.Text, StringComparison.Ordinal);
        Assert.True(sink.Problem.Patient);
        Assert.Single(log.Lines);
    }
}
