namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// The last word of every retained topic, and which of them the broker has not heard yet. A new word takes the place of one that was not sent: nothing piles up. Safe from any thread.
/// </summary>
internal sealed class RetainedTopics
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Func<MqttMessage>> _words = [];
    private readonly LinkedList<string> _unsent = [];
    private readonly HashSet<string> _isUnsent = [];
    private TaskCompletionSource _filled = New();
    private int _unanswered;

    /// <param name="word">Called when it is sent, each time anew.</param>
    public void Set(string topic, Func<MqttMessage> word)
    {
        lock (_lock)
        {
            _words[topic] = word;
            Mark(topic);
        }
    }

    /// <summary>Its word has changed.</summary>
    public void Touch(string topic)
    {
        lock (_lock)
        {
            if (_words.ContainsKey(topic)) Mark(topic);
        }
    }

    /// <summary>A new connection: the broker may have forgotten everything.</summary>
    public void TouchAll()
    {
        lock (_lock)
        {
            foreach (var topic in _words.Keys) Mark(topic);
        }
    }

    /// <summary>The broker has heard everything.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock) return _unsent.Count == 0 && _unanswered == 0;
        }
    }

    /// <summary>The next word to send; <see cref="Answered"/> says that this has been tried, <see cref="Touch"/> before it that it did not work.</summary>
    public MqttMessage? Take()
    {
        Func<MqttMessage> word;
        lock (_lock)
        {
            if (_unsent.First?.Value is not { } topic) return null;
            _unsent.RemoveFirst();
            _isUnsent.Remove(topic);
            if (_unsent.Count == 0 && _filled.Task.IsCompleted) _filled = New();
            word = _words[topic];
            _unanswered++;
        }

        return word();
    }

    public void Answered()
    {
        lock (_lock) _unanswered--;
    }

    /// <summary>Completes when there is something to send.</summary>
    public Task Filled
    {
        get
        {
            lock (_lock) return _filled.Task;
        }
    }

    private void Mark(string topic)
    {
        if (!_isUnsent.Add(topic)) return;
        _unsent.AddLast(topic);
        _filled.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
