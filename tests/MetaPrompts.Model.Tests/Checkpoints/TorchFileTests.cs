using System.Buffers.Binary;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

public sealed class TorchFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("torchfile").FullName;

    private string PathOf(string name) => Path.Combine(_folder, name);

    [Theory]
    [InlineData("mixed.pth")]
    [InlineData("mixed-legacy.pth")]
    public void EveryTensorOfAGenuineFileIsReadToTheBit(string file)
    {
        using var scope = NewDisposeScope();
        using var reader = new TorchFileReader(GoldenFixture.PathOf("readers", file));
        using var expected = new SafetensorsReader(GoldenFixture.PathOf("readers", "expected.safetensors"));
        Assert.Equal(expected.Entries.Select(Describe).Order(StringComparer.Ordinal), reader.Entries.Select(Describe).Order(StringComparer.Ordinal));
        foreach (var entry in expected.Entries)
        {
            TensorAssert.Same(entry.Name, expected.Read(entry.Name), reader.Read(entry.Name));
            if (entry.Dtype == ScalarType.Bool) continue;
            var wide = zeros([.. entry.Shape], ScalarType.Float64);
            reader.ReadInto(entry.Name, wide);
            TensorAssert.Same(entry.Name, expected.Read(entry.Name).to(ScalarType.Float64), wide);
        }
    }

    [Theory]
    [InlineData("mixed.pth")]
    [InlineData("mixed-legacy.pth")]
    public void WhatIsNoWeightIsNamedWithTheReason(string file)
    {
        using var reader = new TorchFileReader(GoldenFixture.PathOf("readers", file));
        Assert.Equal(["meta: about the file, not weights", "optimizer: training state, not weights", "iteration: about the file, not weights"], reader.LeftOut);
    }

    [Theory]
    [InlineData("module-prefix.pth", "module.")]
    [InlineData("bare-state-dict.pth", "")]
    public void WrappersAndPrefixesOfTrainingScriptsAreUnderstood(string file, string prefix)
    {
        using var reader = CheckpointFiles.Open(GoldenFixture.PathOf("readers", file));
        Assert.NotEmpty(reader.Entries);
        Assert.Empty(reader.LeftOut);
        var map = PublishedKeyMaps.Named("depth-2024");
        Assert.All(reader.Entries, entry =>
        {
            Assert.StartsWith(prefix, entry.Name, StringComparison.Ordinal);
            Assert.Equal(entry.Name[prefix.Length..], map.Translate(entry.Name).Ours);
        });
    }

    [Fact]
    public void SharedStoragesAreReadWhereTheyLie()
    {
        using var scope = NewDisposeScope();
        using var reader = new TorchFileReader(GoldenFixture.PathOf("readers", "mixed.pth"));
        var whole = reader.Read("shared_a");
        TensorAssert.Same("shared_b", whole, reader.Read("shared_b"));
        TensorAssert.Same("transposed_view", whole.t(), reader.Read("transposed_view"));
        TensorAssert.Same("slice_view", whole.narrow(0, 1, 2).narrow(1, 2, 3), reader.Read("slice_view"));
    }

    [Fact]
    public void APublishedFileFillsTheNetworkAndSharedWeightsStayShared()
    {
        using var scope = NewDisposeScope();
        using var saved = KeyTests.Network("depth");
        var state = saved.state_dict();
        TorchFileWriter.Write(PathOf("depth.pth"), [.. state.Select(one => TensorSource.Of("module." + one.Key, one.Value))], "model");
        using var network = KeyTests.Network("depth");
        using var reader = CheckpointFiles.Open(PathOf("depth.pth"));
        var report = CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named("depth-2024"), "depth.pth");
        Assert.Equal(state.Count, report.Loaded.Count);
        var after = network.state_dict();
        Assert.All(state, one => TensorAssert.Same(one.Key, one.Value, after[one.Key]));
        Assert.Equal(after["encoder.unet.unet.diffusion_model.out.0.weight"].Handle, after["encoder.cross_unet_conv3.0.weight"].Handle);
        // 4 tensors under 3 names each are stored once.
        Assert.Equal(state.Values.DistinctBy(tensor => tensor.Handle).Count(), state.Count - 8);
    }

    [Theory]
    [InlineData("depth")]
    [InlineData("segmentation")]
    [InlineData("pose")]
    public void TheGoldenWeightsAreTheSameInBothFormats(string task)
    {
        // The repository keeps the .safetensors alone; a full folder of golden files has the .pth of PyTorch beside it.
        using var scope = NewDisposeScope();
        using var network = KeyTests.Network(task);
        GoldenSets.Model(task).Load(network);
        if (GoldenFixture.Find(task, "weights.pth") is not { } path)
        {
            path = PathOf("weights.pth");
            TorchFileWriter.Write(path, [.. network.state_dict().Select(one => TensorSource.Of(one.Key, one.Value.is_floating_point() ? one.Value.to(ScalarType.Float16) : one.Value))], "state_dict");
        }
        using var loaded = KeyTests.Network(task);
        using var reader = CheckpointFiles.Open(path);
        CheckpointLoader.Load(loaded, reader, PublishedKeyMaps.Named(task == "pose" ? "pose" : $"{task}-2024"), path);
        var after = loaded.state_dict();
        Assert.All(network.state_dict(), one => TensorAssert.Same(one.Key, one.Value, after[one.Key]));
    }

    [Fact]
    public void TheOtherByteOrderIsTurned()
    {
        using var scope = NewDisposeScope();
        var data = new byte[8];
        BinaryPrimitives.WriteSingleBigEndian(data, 1.5f);
        BinaryPrimitives.WriteSingleBigEndian(data.AsSpan(4), -2f);
        using var reader = Open(Pickles.Archive(Pickles.OneTensor(2, 0, [2], [1]), ("byteorder", "big"u8.ToArray()), ("data/0", data)));
        Assert.Equal([1.5f, -2f], reader.Read("x").data<float>().ToArray());
    }

    [Fact]
    public void NewerFilesWithUntypedStoragesAndProtocol4AreRead()
    {
        using var scope = NewDisposeScope();
        // {'x': _rebuild_tensor_v3(UntypedStorage of 4 bytes, 0, (2,), (1,), False, OrderedDict(), torch.bfloat16)}
        var pickle = new Pickles().Op(0x80, 4).Op(0x95, 0, 0, 0, 0, 0, 0, 0, 0).Op('}').Op(0x8c, 1).Raw("x").Op(0x94)
            .Op(0x8c, 12).Raw("torch._utils").Op(0x8c, 18).Raw("_rebuild_tensor_v3").Op(0x93)
            .Op('(').Op('(').Text("storage").Global("torch.storage", "UntypedStorage").Text("0").Text("cpu").Number(4).Raw("tQ")
            .Number(0).Numbers(2).Numbers(1).Op(0x89).Global("collections", "OrderedDict").Raw(")R").Global("torch", "bfloat16").Raw("tRs.").Done();
        using var reader = Open(Pickles.Archive(pickle, ("data/0", [0x80, 0x3f, 0x00, 0xc0])));
        Assert.Equal(ScalarType.BFloat16, Assert.Single(reader.Entries).Dtype);
        Assert.Equal([1f, -2f], reader.Read("x").to(ScalarType.Float32).data<float>().ToArray());
    }

    [Fact]
    public void WhatLightningPutsBesideTheWeightsIsReadPast()
    {
        // {'callbacks': {ModelCheckpoint: {...}}, 'lr': numpy scalar, 'state_dict': OrderedDict with attributes}
        var pickle = Pickles.New.Op('}').Op('(')
            .Text("callbacks").Op('}').Global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint").Op('}').Text("best").Op('N').Raw("ss")
            .Text("lr").Global("numpy.core.multiarray", "scalar").Global("numpy", "dtype").Raw("U\u0002f8").Op(0x89, 0x88, 0x87).Op('R').Op('(').Op((byte)'K', 3).Raw("U\u0001<NNNtb").Global("_codecs", "encode").Text("x").Raw("U\u0006latin1").Op(0x86).Op('R').Op(0x86).Op('R')
            .Text("state_dict").Global("collections", "OrderedDict").Raw(")R").Text("x").Tensor("0", 1, 0, [1], [1]).Op('s').Op('}').Text("_metadata").Op('}').Raw("sb")
            .Raw("u.").Done();
        using var reader = Open(Pickles.Archive(pickle, ("data/0", new byte[4])));
        Assert.Equal("x", Assert.Single(reader.Entries).Name);
        Assert.Equal(["callbacks: training state, not weights", "lr: about the file, not weights"], reader.LeftOut);
    }

    [Fact]
    public void PartsOfStoragesInLegacyFilesAreRead()
    {
        using var scope = NewDisposeScope();
        var described = Pickles.New.Op('}').Text("x").Global("torch._utils", "_rebuild_tensor_v2").Op('(')
            .Op('(').Text("storage").Global("torch", "FloatStorage").Text("7").Text("cpu").Number(4).Op('(').Text("8").Number(1).Number(3).Raw("ttQ")
            .Number(1).Numbers(2).Numbers(1).Op(0x89).Global("collections", "OrderedDict").Raw(")RtRs.").Done();
        var data = new byte[16];
        for (var i = 0; i < 4; i++) BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(4 * i), i);
        using var reader = Open(Legacy(described, "7", 4, data));
        Assert.Equal([2f, 3f], reader.Read("x").data<float>().ToArray());
    }

    [Fact]
    public void ContentDecidesWhatAFileIs()
    {
        File.Copy(GoldenFixture.PathOf("readers", "expected.safetensors"), PathOf("misnamed.pth"));
        File.Copy(GoldenFixture.PathOf("readers", "mixed-legacy.pth"), PathOf("misnamed.safetensors"));
        using var first = CheckpointFiles.Open(PathOf("misnamed.pth"));
        using var second = CheckpointFiles.Open(PathOf("misnamed.safetensors"));
        Assert.IsType<SafetensorsReader>(first);
        Assert.IsType<TorchFileReader>(second);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("<!DOCTYPE html>", "web page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "git lfs pull")]
    [InlineData("\u0080\u0002}q\0.", "bare pickle")]
    [InlineData("hello", "begins with 68656c6c6f")]
    public void WhatIsNoWeightFileIsToldApart(string content, string expected)
    {
        File.WriteAllBytes(PathOf("x.pth"), [.. content.Select(c => (byte)c)]);
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => CheckpointFiles.Open(PathOf("x.pth"))).Message, StringComparison.Ordinal);
    }

    internal static byte[] Legacy(byte[] described, string key, long count, byte[] data)
    {
        byte[] magic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
        return
        [
            .. magic, .. Pickles.New.Number(1001).Op('.').Done(), .. Pickles.New.Op('}').Text("little_endian").Op(0x88).Raw("s.").Done(), .. described,
            .. Pickles.New.Raw("](").Text(key).Raw("e.").Done(), .. BitConverter.GetBytes(count), .. data,
        ];
    }

    private TorchFileReader Open(byte[] file)
    {
        File.WriteAllBytes(PathOf("made.pth"), file);
        return new TorchFileReader(PathOf("made.pth"));
    }

    private static string Describe(TensorEntry entry) => $"{entry.Name} {entry.Dtype} [{string.Join(", ", entry.Shape)}]";

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
