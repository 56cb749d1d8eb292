using System.Net.Sockets;
using System.Security.Authentication;
using MQTTnet;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Why there is no connection, in words; nothing in it is secret.</summary>
/// <param name="Code">connection, timeout, authentication, tls, refused.</param>
/// <param name="Text">WHY; WHAT TO DO.</param>
/// <param name="Patient">A person has to mend it: trying often is of no use and looks like an attack.</param>
public sealed record MqttProblem(string Code, string Text, bool Patient)
{
    internal static MqttProblem Of(MqttClientConnectResultCode code, string? reason) => code switch
    {
        MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized or MqttClientConnectResultCode.BadAuthenticationMethod or MqttClientConnectResultCode.Banned =>
            new MqttProblem("authentication", $"the broker does not accept user and password ({code}); check username, password and the broker's access rules", true),
        MqttClientConnectResultCode.UnsupportedProtocolVersion =>
            new MqttProblem("refused", "the broker does not speak this version of MQTT; set version: 3.1.1", true),
        MqttClientConnectResultCode.ServerBusy or MqttClientConnectResultCode.ServerUnavailable or MqttClientConnectResultCode.ConnectionRateExceeded or MqttClientConnectResultCode.QuotaExceeded =>
            new MqttProblem("refused", $"the broker says {code}", false),
        _ => new MqttProblem("refused", $"the broker says {code}{(string.IsNullOrWhiteSpace(reason) ? "" : $": {Short(reason)}")}", true),
    };

    /// <param name="tls">The URL says mqtts.</param>
    internal static MqttProblem Of(Exception failure, bool tls)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case AuthenticationException:
                    return new MqttProblem("tls", $"{Short((e.InnerException ?? e).Message)}; check tls.ca, the name in the URL and the dates of the certificates", true);
                case OperationCanceledException or TimeoutException:
                    return new MqttProblem("timeout", "no answer in time", false);
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return new MqttProblem("connection", "connection refused; is the broker running?", false);
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData }:
                    return new MqttProblem("connection", "the host is not known; check the URL", false);
                case SocketException socket:
                    return new MqttProblem("connection", Short(socket.Message), false);
            }
        }

        return new MqttProblem("connection", $"{Short(failure.GetBaseException().Message)}{(tls ? "; does the broker speak TLS at this port?" : "")}", false);
    }

    /// <summary>Foreign text, in one line and not endless.</summary>
    private static string Short(string text)
    {
        var line = string.Join(' ', text.Split((char[])['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).TrimEnd('.');
        return line.Length <= 200 ? line : line[..200] + "…";
    }
}
