namespace MetaPrompts.Core.Frames;

/// <summary>Name of one stream: stable for a camera's life, used as batch key, topic level and metric tag.</summary>
public readonly record struct StreamId(string Value)
{
    public override string ToString() => Value;
}
