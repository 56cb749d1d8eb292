using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace MetaPrompts.Model.Checkpoints.Pickle;

/// <summary>
/// Runs the part of Python's pickle language (protocols 1 to 4) that describes data: numbers, text, containers, storages and tensors. There is no import, no call of
/// anything but the rows of <see cref="PickleVocabulary"/>, and no way to add one from a file. Everything else is refused by its name.
/// </summary>
/// <param name="program">Bytes that hold it.</param>
/// <param name="file">Bytes of the file it is in, which say how much it may make.</param>
/// <param name="persistent">What a persistent id stands for; null where none may occur.</param>
internal sealed class PickleProgram(ReadOnlyMemory<byte> program, long file, Func<object?, object?>? persistent = null)
{
    private const int LongestName = 200;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private readonly int _mostValues = Limits.MostValues(file);
    private long _text = Limits.MostText(file);
    private int _values;

    /// <summary>Where the next byte stands; after <see cref="Run"/>, behind the program.</summary>
    public int Position { get; private set; }

    /// <returns>What the program leaves.</returns>
    /// <exception cref="PickleException">It does something that is not allowed, or is cut short.</exception>
    public object? Run(int start = 0)
    {
        Position = start;
        while (true)
        {
            var op = (PickleOp)Take(1)[0];
            if (op == PickleOp.Stop) return _stack.Count == 1 && _marks.Count == 0 ? _stack[0] : throw new PickleException("ends with more or less than one value");
            Step(op);
            if (_values > _mostValues || _memo.Count > _mostValues || _stack.Count > _mostValues) throw new PickleException($"makes more values than a file of its size can need ({_mostValues})");
        }
    }

    private void Step(PickleOp op)
    {
        switch (op)
        {
            case PickleOp.Proto:
                if (Take(1)[0] is var protocol and > 5) throw new PickleException($"is of pickle protocol {protocol}; known are 0 to 5");
                break;
            case PickleOp.Frame: Take(8); break;
            case PickleOp.Mark:
                if (_marks.Count == Limits.DeepestNesting) throw new PickleException($"nests deeper than {Limits.DeepestNesting}");
                _marks.Add(_stack.Count);
                break;
            case PickleOp.Pop: Pop(); break;
            case PickleOp.PopMark: PopToMark(); break;
            case PickleOp.Dup: Push(Peek()); break;

            case PickleOp.None: Push(null); break;
            case PickleOp.NewTrue: Push(true); break;
            case PickleOp.NewFalse: Push(false); break;
            case PickleOp.BinInt1: Push((long)Take(1)[0]); break;
            case PickleOp.BinInt2: Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case PickleOp.BinInt: Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case PickleOp.Long1: Push(Long(Take(1)[0])); break;
            case PickleOp.Long4: Push(Long(BinaryPrimitives.ReadInt32LittleEndian(Take(4)))); break;
            case PickleOp.BinFloat: Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case PickleOp.ShortBinUnicode: Push(Text(Take(1)[0])); break;
            case PickleOp.BinUnicode: Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case PickleOp.BinUnicode8: Push(Text(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)))); break;
            // Text of Python 2 and bytes of Python 3.
            case PickleOp.ShortBinString: Push(Encoding.Latin1.GetString(Written(Take(1)[0]))); break;
            case PickleOp.BinString: Push(Encoding.Latin1.GetString(Written(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))))); break;
            case PickleOp.ShortBinBytes: Skip(Take(1)[0]); break;
            case PickleOp.BinBytes: Skip(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case PickleOp.BinBytes8: Skip(BinaryPrimitives.ReadUInt64LittleEndian(Take(8))); break;

            case PickleOp.EmptyTuple: Push(PickleTuple.Empty); break;
            case PickleOp.Tuple: Push(new PickleTuple(PopToMark())); break;
            case PickleOp.Tuple1: Push(new PickleTuple(Pop(1))); break;
            case PickleOp.Tuple2: Push(new PickleTuple(Pop(2))); break;
            case PickleOp.Tuple3: Push(new PickleTuple(Pop(3))); break;
            case PickleOp.EmptyList: Push(new PickleList()); break;
            case PickleOp.Append: Append([Pop()]); break;
            case PickleOp.Appends: Append(PopToMark()); break;
            case PickleOp.EmptyDict: Push(new PickleDict()); break;
            case PickleOp.SetItem: SetItems(Pop(2)); break;
            case PickleOp.SetItems: SetItems(PopToMark()); break;
            case PickleOp.EmptySet: Push(new PickleInert("a set")); break;
            case PickleOp.AddItems:
                PopToMark();
                if (Peek() is not PickleInert) throw new PickleException("adds items to what is no set");
                break;
            case PickleOp.FrozenSet:
                PopToMark();
                Push(new PickleInert("a set"));
                break;

            case PickleOp.BinPut: _memo[Take(1)[0]] = Peek(); break;
            case PickleOp.LongBinPut: _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case PickleOp.Memoize: _memo[_memo.Count] = Peek(); break;
            case PickleOp.BinGet: Push(Memo(Take(1)[0])); break;
            case PickleOp.LongBinGet: Push(Memo(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;

            case PickleOp.Global: Push(Global(Line(), Line())); break;
            case PickleOp.StackGlobal:
                var names = Pop(2);
                Push(names is [string module, string name] ? Global(module, name) : throw new PickleException("asks for a global without a name"));
                break;
            case PickleOp.BinPersId: Push((persistent ?? throw new PickleException("has a persistent id where none may be")).Invoke(Pop())); break;
            case PickleOp.Reduce: Push(Reduce()); break;
            case PickleOp.Build: Build(); break;

            case PickleOp.Inst: throw new PickleException($"makes an object of {Limits.Short($"{Line()}.{Line()}")} by INST; weight files make none");
            case PickleOp.Obj or PickleOp.NewObj or PickleOp.NewObjEx:
                throw new PickleException($"makes an object by {Name(op)}; weight files make none");
            case PickleOp.Ext1 or PickleOp.Ext2 or PickleOp.Ext4: throw new PickleException($"uses the extension registry ({Name(op)}); weight files do not");
            case PickleOp.PersId: throw new PickleException("has a persistent id as text; PyTorch writes none");
            default:
                throw new PickleException(Enum.IsDefined(op) ? $"uses {Name(op)}, which PyTorch does not write" : $"has no valid operation at byte {Position - 1} (0x{(byte)op:x2})");
        }
    }

    private static string Name(PickleOp op) => op.ToString().ToUpperInvariant();

    private object? Reduce()
    {
        if (Pop(2) is not [PickleGlobal global, PickleTuple arguments]) throw new PickleException("calls what is no function (REDUCE)");
        var made = PickleVocabulary.Call(global, arguments);
        // Its pairs are copies: one list, made into a thousand dictionaries, would take a thousand times its room.
        if (made is PickleDict dict) _values += dict.Pairs.Count;
        return made;
    }

    /// <summary>Attributes of a state dict (its versions) and of what is read past: nothing here has attributes, so they are dropped.</summary>
    private void Build()
    {
        Pop();
        if (Peek() is not (PickleDict or PickleInert)) throw new PickleException("sets the state of an object (BUILD); weight files have none");
    }

    private void Append(object?[] items)
    {
        if (Peek() is not PickleList list) throw new PickleException("appends to what is no list");
        foreach (var item in items) list.Add(item);
    }

    private void SetItems(object?[] items)
    {
        if (Peek() is not PickleDict dict || items.Length % 2 != 0) throw new PickleException("sets items of what is no dict");
        for (var i = 0; i < items.Length; i += 2) dict.Add(items[i], items[i + 1]);
    }

    private static PickleGlobal Global(string module, string name) =>
        PickleVocabulary.Knows($"{module}.{name}")
            ? new PickleGlobal($"{module}.{name}")
            : throw new PickleException($"asks for {Limits.Short($"{module}.{name}")}, which no weight file needs");

    private object? Memo(long index) => _memo.TryGetValue(index, out var value) ? value : throw new PickleException($"recalls {index}, which was never stored");

    private void Push(object? value)
    {
        _values++;
        _stack.Add(value);
    }

    /// <summary>What is above the last mark stays out of reach of single pops.</summary>
    private int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw new PickleException("takes a value from an empty stack");

    private object? Pop()
    {
        var top = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object?[] Pop(int count)
    {
        if (_stack.Count - Floor < count) throw new PickleException("takes a value from an empty stack");
        return PopFrom(_stack.Count - count);
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0) throw new PickleException("has no mark to go back to");
        var at = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return PopFrom(at);
    }

    private object?[] PopFrom(int at)
    {
        var items = CollectionsMarshal.AsSpan(_stack)[at..].ToArray();
        _stack.RemoveRange(at, items.Length);
        return items;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > program.Length - Position) throw new PickleException("is cut short");
        var taken = program.Span.Slice(Position, count);
        Position += count;
        return taken;
    }

    private static int Length(ulong length) => length <= int.MaxValue ? (int)length : throw new PickleException("is cut short");

    /// <summary>The bytes of a text, while there are not too many of them.</summary>
    private ReadOnlySpan<byte> Written(ulong length)
    {
        var bytes = Take(Length(length));
        _text -= bytes.Length;
        return _text >= 0 ? bytes : throw new PickleException("has more text than a file of its size can need");
    }

    private string Text(ulong length)
    {
        try
        {
            return _utf8.GetString(Written(length));
        }
        catch (DecoderFallbackException)
        {
            throw new PickleException("has text that is no UTF-8");
        }
    }

    // PyTorch writes lone surrogates as three bytes; no name of a tensor has one.
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private void Skip(ulong length)
    {
        Take(Length(length));
        Push(new PickleInert("bytes"));
    }

    private object Long(int length)
    {
        var bytes = Take(length);
        // Larger numbers are the states of random generators: no size, no offset.
        if (length > 8) return new PickleInert("a large number");
        long value = length > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (var i = length - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }

    private string Line()
    {
        var rest = program.Span[Position..];
        var end = rest[..Math.Min(rest.Length, LongestName)].IndexOf((byte)'\n');
        if (end < 0) throw new PickleException("asks for a global whose name does not end");
        Position += end + 1;
        return Encoding.Latin1.GetString(rest[..end]);
    }
}
