using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Receives named intermediate values, borrowed for the call; the names are those of the golden fixtures (<c>step2.feat0</c>, <c>fused3</c>, <c>head_logits</c>).</summary>
public delegate void Tap(string name, Tensor value);
