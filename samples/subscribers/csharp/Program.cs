// Prints every depth map and every frame record:  dotnet run -- [HOST [PORT]]
using System.Buffers;
using System.Globalization;
using System.Text.Json;
using MQTTnet;
using OpenCvSharp;

var options = new MqttClientOptionsBuilder().WithTcpServer(args.Length > 0 ? args[0] : "localhost", args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1883)
    .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).Build();
((MqttClientTcpOptions)options.ChannelOptions).BufferSize = 256 * 1024;          // with the default of 8 KiB a map takes most of a second

using var client = new MqttClientFactory().CreateMqttClient();
client.ApplicationMessageReceivedAsync += heard =>
{
    var (message, topic) = (heard.ApplicationMessage, heard.ApplicationMessage.Topic.Split('/'));
    if (topic[5] == "depth")
    {
        using var millimetres = Cv2.ImDecode(message.Payload.ToArray(), ImreadModes.Unchanged);
        Cv2.MinMaxLoc(millimetres, out double nearest, out _);
        var sent = message.UserProperties.ToDictionary(p => p.Name, p => System.Text.Encoding.UTF8.GetString(p.ValueBuffer.Span));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{topic[4]} {sent["seq"]} map {millimetres.Cols}x{millimetres.Rows} nearest {nearest / 1000:0.000} m"));
    }
    else
    {
        using var record = JsonDocument.Parse(message.Payload);
        Console.WriteLine($"{topic[4]} {record.RootElement.GetProperty("seq")} record, {record.RootElement.GetProperty("latency_ms").GetProperty("total")} ms");
    }

    return Task.CompletedTask;
};
await client.ConnectAsync(options);
foreach (var kind in new[] { "depth", "frame" }) await client.SubscribeAsync($"metaprompts/v1/+/streams/+/{kind}", MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce);
await Task.Delay(Timeout.Infinite);
