using MetaPrompts.Core.Frames;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Pixels to the network's input.</summary>
public static class InputTransform
{
    /// <summary>Means over areas where a picture shrinks (no aliasing), bilinear where it grows.</summary>
    /// <param name="frames">Borrowed; their sizes may differ.</param>
    /// <returns>[B, 3, H, W] in [-1, 1], the caller's.</returns>
    public static Tensor ToUnitRange(IReadOnlyList<Frame> frames, ImageSize size, Device device, ScalarType type)
    {
        ArgumentNullException.ThrowIfNull(frames);
        using var scope = NewDisposeScope();
        var images = frames.Select(frame => Resize(Pixels(frame.Pixels).to(device).to(ScalarType.Float32), size)).ToList();
        var batch = images.Count == 1 ? images[0] : cat(images, 0);
        return batch.div_(127.5).sub_(1).to(type).MoveToOuterDisposeScope();
    }

    private static Tensor Resize(Tensor image, ImageSize size)
    {
        var (height, width) = (image.shape[2], image.shape[3]);
        if (height == size.Height && width == size.Width) return image.contiguous();
        return height >= size.Height && width >= size.Width
            ? functional.adaptive_avg_pool2d(image, [size.Height, size.Width])
            : functional.interpolate(image, size: [size.Height, size.Width], mode: InterpolationMode.Bilinear, align_corners: false);
    }

    /// <returns>[1, 3, H, W] bytes.</returns>
    private static Tensor Pixels(PixelBuffer pixels)
    {
        var tensor = empty([pixels.Size.Height, pixels.Size.Width, 3], ScalarType.Byte);
        pixels.Rgb.CopyTo(tensor.bytes);
        return tensor.permute(2, 0, 1).unsqueeze(0);
    }
}
