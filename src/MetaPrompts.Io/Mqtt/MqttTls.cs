using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MetaPrompts.Core.Errors;
using MQTTnet;

namespace MetaPrompts.Io.Mqtt;

/// <summary>The certificates of one connection. Checks the broker's: signed by one of ours where a CA is given, by the system's otherwise; in its dates; for the host of the URL. There is no way around it.</summary>
internal sealed class MqttTls : IDisposable
{
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2Collection _own = [];
    private bool _seen;
    private string? _objection;

    /// <exception cref="ConfigurationException">A file is missing or holds no certificate or key.</exception>
    public MqttTls(MqttTlsOptions options)
    {
        if (options.Ca is { } ca)
        {
            _authorities = [];
            Read("mqtt.tls.ca", ca, () => _authorities.ImportFromPemFile(ca));
            if (_authorities.Count == 0) throw new ConfigurationException("mqtt.tls.ca", $"{ca} holds no certificate; give a PEM file");
        }

        if (options is { Certificate: { } certificate, Key: { } key })
        {
            Read("mqtt.tls.certificate", certificate, () =>
            {
                _own.Add(options.KeyPassword is { } password ? X509Certificate2.CreateFromEncryptedPemFile(certificate, password, key) : X509Certificate2.CreateFromPemFile(certificate, key));
            });
        }
    }

    /// <summary>A new attempt: nothing has been seen of the broker yet.</summary>
    public void Begin() => (_seen, _objection) = (false, null);

    /// <summary>What certificates had to do with the failure of this attempt; null where nothing.</summary>
    public MqttProblem? Problem(Exception failure)
    {
        if (_objection is not null) return new MqttProblem("tls", $"{_objection}; check tls.ca, the host in the URL and the certificate's dates", true);
        // In TLS 1.3 a broker checks our certificate after we have accepted its own, and says no by hanging up.
        return _seen && failure.GetBaseException() is not (OperationCanceledException or TimeoutException)
            ? new MqttProblem("tls", "the broker hung up right after the certificates were exchanged; check tls.certificate and tls.key", true)
            : null;
    }

    public void Apply(MqttClientTlsOptionsBuilder tls, string host)
    {
        tls.UseTls().WithTargetHost(host).WithCertificateValidationHandler(Accepts);
        if (_own.Count > 0) tls.WithClientCertificates(_own);
    }

    public void Dispose()
    {
        foreach (var certificate in (_authorities ?? []).Concat(_own)) certificate.Dispose();
    }

    private bool Accepts(MqttClientCertificateValidationEventArgs seen)
    {
        _objection = ObjectionTo(seen);
        _seen = true;
        return _objection is null;
    }

    private string? ObjectionTo(MqttClientCertificateValidationEventArgs seen)
    {
        if (seen.SslPolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) || seen.Certificate is null) return "the broker shows no certificate";
        if (seen.SslPolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return "the broker's certificate is for another host name";
        if (_authorities is null) return seen.SslPolicyErrors == SslPolicyErrors.None ? null : $"the broker's certificate is not trusted ({Words(seen.Chain)})";
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (seen.Chain is { } shown) chain.ChainPolicy.ExtraStore.AddRange(shown.ChainElements.Skip(1).Select(e => e.Certificate).ToArray());
        using var certificate = X509CertificateLoader.LoadCertificate(seen.Certificate.GetRawCertData());
        return chain.Build(certificate) ? null : $"the broker's certificate is not signed by tls.ca, or out of date ({Words(chain)})";
    }

    private static string Words(X509Chain? chain) =>
        chain is { ChainStatus.Length: > 0 } ? string.Join(", ", chain.ChainStatus.Select(s => s.Status.ToString()).Distinct()) : "no chain";

    private static void Read(string key, string path, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException(key, $"{path} cannot be read as PEM: {e.Message.Split('\n')[0].TrimEnd('.')}");
        }
    }
}
