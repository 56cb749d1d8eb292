using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MetaPrompts.Training.Evaluation;

/// <summary>What a model scored on a data set (contract §8).</summary>
/// <param name="Protocol">How it was measured, in words: sizes, steps, crops, who counts.</param>
/// <param name="Metrics">By the field's names, in order; NaN where a metric has no value. Per class: <c>IoU.sky</c>. Depth after alignment to the median: <c>abs_rel.aligned</c>.</param>
public sealed record EvaluationReport(string Model, string Dataset, string Protocol, int Samples, IReadOnlyList<KeyValuePair<string, double>> Metrics)
{
    /// <exception cref="KeyNotFoundException">No metric of this name.</exception>
    public double this[string metric]
    {
        get
        {
            foreach (var (name, value) in Metrics)
                if (name == metric) return value;
            throw new KeyNotFoundException($"no metric {metric}: {string.Join(' ', Metrics.Select(m => m.Key))}");
        }
    }

    /// <summary><c>{model, dataset, protocol, samples, metrics}</c>; a metric without a value is null.</summary>
    public string ToJson()
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("model", Model);
            json.WriteString("dataset", Dataset);
            json.WriteString("protocol", Protocol);
            json.WriteNumber("samples", Samples);
            json.WriteStartObject("metrics");
            foreach (var (name, value) in Metrics)
            {
                if (double.IsFinite(value)) json.WriteNumber(name, Math.Round(value, 6));
                else json.WriteNull(name);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    /// <summary>For people: a line a metric.</summary>
    public string ToTable()
    {
        var table = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{Model} on {Dataset}: {Samples} samples, {Protocol}");
        var width = Metrics.Select(metric => metric.Key.Length).DefaultIfEmpty(0).Max();
        foreach (var (name, value) in Metrics)
            table.AppendLine(CultureInfo.InvariantCulture, $"  {name.PadRight(width)}  {(double.IsFinite(value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : "-")}");
        return table.ToString();
    }
}
