using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>A line, or a dot where it ends where it begins.</summary>
/// <param name="Thickness">Pixels; a dot's diameter.</param>
internal readonly record struct Stroke(Point2d From, Point2d To, Scalar Colour, double Thickness);
