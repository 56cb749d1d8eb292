using System.Runtime.InteropServices;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Pixels to the network's input. Grey levels are normalised in float32 as in the reference; only the result takes the network's type.</summary>
public static class InputTransform
{
    /// <summary>
    /// Means over areas where a picture shrinks (no aliasing), bilinear where it grows. All networks that see whole pictures get them from here, so that two that see the same size see the same values and
    /// can share a latent.
    /// </summary>
    /// <param name="frames">Borrowed; their sizes may differ.</param>
    /// <param name="plain">Without the short way for pictures that shrink.</param>
    /// <returns>[B, 3, H, W] in [-1, 1], the caller's.</returns>
    public static Tensor ToUnitRange(IReadOnlyList<Frame> frames, ImageSize size, Device device, ScalarType type, bool plain = false)
    {
        using var scope = NewDisposeScope();
        // The order of published depth: to 0…1 in float32, then doubled and moved, in the network's type where that is wider.
        var wide = type == ScalarType.Float64 ? type : ScalarType.Float32;
        return Resized(frames, size, device, plain, pixels => pixels.div_(255).to(wide).mul_(2).sub_(1)).to(type).MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="ToUnitRange"/>.</summary>
    /// <returns>[B, 3, H, W] in [0, 1], the caller's.</returns>
    public static Tensor ToZeroOne(IReadOnlyList<Frame> frames, ImageSize size, Device device, ScalarType type, bool plain = false)
    {
        using var scope = NewDisposeScope();
        return Resized(frames, size, device, plain, pixels => pixels.div_(255)).to(type).MoveToOuterDisposeScope();
    }

    /// <summary>One region of each frame, bilinear, black outside the picture (the linear warp of the reference).</summary>
    /// <param name="frames">Borrowed; one may be there several times.</param>
    /// <param name="regions">One per frame.</param>
    /// <param name="decoding">The warp that the decoding undoes.</param>
    /// <returns>[B, 3, H, W] in [-1, 1], the caller's.</returns>
    public static Tensor Regions(IReadOnlyList<Frame> frames, IReadOnlyList<PersonRegion> regions, ImageSize size, Device device, ScalarType type, PoseDecoding decoding = PoseDecoding.DarkUdp)
    {
        ArgumentNullException.ThrowIfNull(frames);
        ArgumentNullException.ThrowIfNull(regions);
        using var scope = NewDisposeScope();
        var crops = frames.Select((frame, i) => functional.grid_sample(Pixels(frame.Pixels, device), Grid(regions[i], size, frame.Pixels.Size, device, decoding),
            mode: GridSampleMode.Bilinear, padding_mode: GridSamplePaddingMode.Zeros, align_corners: true)).ToList();
        return UnitRange(cat(crops, 0), type).MoveToOuterDisposeScope();
    }

    private static Tensor UnitRange(Tensor pixels, ScalarType type) => pixels.sub_(127.5).mul_(1f / 127.5f).to(type);

    /// <returns>[B, 3, H, W] of 0…255, channels innermost, or null where a picture has to grow.</returns>
    private static Tensor? Smaller(IReadOnlyList<Frame> frames, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (!frames.All(frame => AreaMeans.Takes(frame.Pixels.Size, size))) return null;
        using var scope = NewDisposeScope();
        var images = empty([frames.Count, size.Height, size.Width, 3], ScalarType.Float32);
        var values = MemoryMarshal.Cast<byte, float>(images.bytes);
        var each = values.Length / frames.Count;
        for (var i = 0; i < frames.Count; i++) AreaMeans.Run(frames[i].Pixels.Rgb, frames[i].Pixels.Size, size, values.Slice(i * each, each));
        return images.permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    /// <param name="normalise">From 0…255, in place where it can; before a picture is enlarged, as the reference does, and after it has shrunk, when there is less of it.</param>
    /// <returns>[B, 3, H, W], freshly computed.</returns>
    private static Tensor Resized(IReadOnlyList<Frame> frames, ImageSize size, Device device, bool plain, Func<Tensor, Tensor> normalise)
    {
        if (!plain && Smaller(frames, size) is { } small) return normalise(Sent(small, device));
        ArgumentNullException.ThrowIfNull(frames);
        var images = frames.Select(frame =>
        {
            var pixels = Pixels(frame.Pixels, device);
            return frame.Pixels.Size.Height > size.Height && frame.Pixels.Size.Width > size.Width ? normalise(Resize(pixels, size)) : Resize(normalise(pixels), size);
        }).ToList();
        return images.Count == 1 ? images[0] : cat(images, 0);
    }

    private static Tensor Resize(Tensor image, ImageSize size)
    {
        var (height, width) = (image.size(2), image.size(3));
        if (height == size.Height && width == size.Width) return image.contiguous();
        return height >= size.Height && width >= size.Width
            ? functional.adaptive_avg_pool2d(image, [size.Height, size.Width])
            : functional.interpolate(image, size: [size.Height, size.Width], mode: InterpolationMode.Bilinear, align_corners: false);
    }

    /// <returns>[1, H, W, 2]: for each cell of the crop its place in the picture, -1 and 1 being the centres of the picture's outer pixels.</returns>
    private static Tensor Grid(PersonRegion region, ImageSize size, ImageSize picture, Device device, PoseDecoding decoding)
    {
        var (left, top) = region.ToPicture(0, 0, size.Width, size.Height, decoding);
        var (right, bottom) = region.ToPicture(size.Width - 1, size.Height - 1, size.Width, size.Height, decoding);
        static double Unit(double at, int side) => side == 1 ? at : 2 * at / (side - 1) - 1;
        var x = linspace(Unit(left, picture.Width), Unit(right, picture.Width), size.Width, ScalarType.Float32, device);
        var y = linspace(Unit(top, picture.Height), Unit(bottom, picture.Height), size.Height, ScalarType.Float32, device);
        return stack([x.unsqueeze(0).expand(size.Height, size.Width), y.unsqueeze(1).expand(size.Height, size.Width)], -1).unsqueeze(0);
    }

    /// <returns>[1, 3, H, W] of 0…255, float32, the caller's.</returns>
    internal static Tensor Pixels(PixelBuffer pixels, Device device)
    {
        using var scope = NewDisposeScope();
        var tensor = empty([pixels.Size.Height, pixels.Size.Width, 3], ScalarType.Byte);
        pixels.Rgb.CopyTo(tensor.bytes);
        return Sent(tensor, device).permute(2, 0, 1).unsqueeze(0).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>To the device. To a GPU by way of pinned memory: such a copy needs no one to wait for it, so that the kernels behind it are queued meanwhile; libtorch keeps the pinned block until the copy is done, and uses it again.</summary>
    private static Tensor Sent(Tensor pixels, Device device) => device.type == TorchSharp.DeviceType.CUDA ? pixels.pin_memory().to(device, non_blocking: true) : pixels.to(device);
}
