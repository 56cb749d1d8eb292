using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;

namespace MetaPrompts.Model.Tests.Inference;

public sealed class BottomUpPoseTests
{
    private const int Height = 48, Width = 64;

    [Fact]
    public void ThreePeopleAreFoundJointByJoint()
    {
        var people = new[] { Person(12, 20, 10), Person(32, 24, 16), Person(52, 22, 8) };
        var found = BottomUpPose.Decode(Maps(people), [], Height, Width, 4, 4).OrderBy(pose => pose.Box.Left).ToList();
        Assert.Equal(3, found.Count);
        for (var p = 0; p < 3; p++)
        {
            for (var j = 0; j < 17; j++)
            {
                // Between cells, too: only the maps' clamped tops and feet keep it from being exact.
                Assert.Equal(people[p][j].X, found[p].Keypoints[j].X / 4 - 0.5f, 0.1f);
                Assert.Equal(people[p][j].Y, found[p].Keypoints[j].Y / 4 - 0.5f, 0.1f);
            }
            Assert.InRange(found[p].Score, 0.6f, 1f);
        }
    }

    [Fact]
    public void AnEmptyPictureHoldsNobody() => Assert.Empty(BottomUpPose.Decode(Maps([]), [], Height, Width, 4, 4));

    [Fact]
    public void TheBoxHoldsTheJointsAndStaysInThePicture()
    {
        var pose = Assert.Single(BottomUpPose.Decode(Maps([Person(4, 20, 18)]), [], Height, Width, 10, 10));
        Assert.InRange(pose.Box.Left, 0, 20);
        Assert.True(pose.Box.Left + pose.Box.Width <= Width * 10);
        Assert.All(pose.Keypoints.Where(k => k.X >= 0), k => Assert.InRange(k.Y, pose.Box.Top, pose.Box.Top + pose.Box.Height));
    }

    [Fact]
    public void WhoIsCutOffIsScoredByWhatIsSeen()
    {
        var seen = new float[Height * Width];
        Array.Fill(seen, 0.9f);
        foreach (var person in new[] { [], seen })
        {
            var whole = Assert.Single(BottomUpPose.Decode(Maps([Person(20, 24, 20)]), person, Height, Width, 4, 4));
            var cut = Assert.Single(BottomUpPose.Decode(Maps([Person(20, 42, 20)]), person, Height, Width, 4, 4));
            Assert.Equal(3, cut.Keypoints.Count(joint => joint.Y > 4 * Height));         // a fourth, a quarter of a cell outside, is found on the border
            Assert.All(cut.Keypoints.Where(joint => joint.Y > 4 * Height), joint => Assert.InRange(joint.Score, 0, BottomUpPose.LeastJoint));
            Assert.Equal(whole.Score, cut.Score, 0.03f);
        }
        // Of whom next to nothing is seen next to nothing is known.
        var hand = BottomUpPose.Decode(Maps([Person(20, 56, 20)]), seen, Height, Width, 4, 4);
        Assert.All(hand, pose => Assert.InRange(pose.Score, 0, 0.5f));
    }

    [Fact]
    public void AFlatCentreMapDoesNotMakeACrowd()
    {
        var maps = new float[MetaPromptsMulti.PoseChannels * Height * Width];
        Assert.InRange(BottomUpPose.Decode(maps, [], Height, Width, 4, 4).Count, 0, BottomUpPose.MostPeople);
    }

    [Fact]
    public void NumbersThatAreNoneDoNotThrow()
    {
        var maps = new float[MetaPromptsMulti.PoseChannels * Height * Width];
        Array.Fill(maps, float.NaN);
        Assert.Empty(BottomUpPose.Decode(maps, [], Height, Width, 4, 4));
    }

    [Fact]
    public void JointsStayWhereTheirPeakIsWhereNoTopCanBeReckoned()
    {
        // Neighbours that are impossible, as likely as the peak, or outside the picture.
        foreach (var around in new[] { float.NegativeInfinity, -1e30f, 5f })
        {
            var maps = Maps([Person(20, 20, 12)]);
            for (var j = 0; j < 17; j++)
            {
                Array.Fill(maps, around, j * Height * Width, Height * Width);
                maps[(j * Height + (j < 3 ? 0 : 20)) * Width + 20] = 5;
            }
            var pose = Assert.Single(BottomUpPose.Decode(maps, [], Height, Width, 4, 4));
            Assert.All(pose.Keypoints, joint => Assert.True(float.IsFinite(joint.X) && float.IsFinite(joint.Y)));
            if (around < 5) Assert.Equal((20.5f * 4, 20.5f * 4), (pose.Keypoints[8].X, pose.Keypoints[8].Y));
        }
    }

    [Fact]
    public void APersonWhoseJointsAreNowhereIsNoPerson()
    {
        var maps = Maps([Person(20, 20, 12), Person(48, 24, 12)]);
        for (var channel = 18; channel < MetaPromptsMulti.PoseChannels; channel++)
        {
            for (var y = 0; y < Height; y++) Array.Fill(maps, float.NaN, (channel * Height + y) * Width, 34);
        }
        var pose = Assert.Single(BottomUpPose.Decode(maps, [], Height, Width, 4, 4));
        Assert.InRange(pose.Box.Left, 34 * 4, Width * 4);
    }

    [Fact]
    public void AnArmIsFollowedFromJointToJoint()
    {
        // The right arm is stretched out; the centre, which guesses, points to where arms hang, and near there is another wrist.
        var person = Person(20, 24, 20);
        person[8] = (28, 20);
        person[10] = (38, 18);
        var maps = Maps([person]);
        var plane = Height * Width;
        for (var at = 0; at < plane; at++)
        {
            if (maps[(18 + 20) * plane + at] == 0) continue;
            (maps[(18 + 20) * plane + at], maps[(18 + 21) * plane + at]) = ((28 - at % Width) / MetaPromptsMulti.OffsetUnit, (26 - at / Width) / MetaPromptsMulti.OffsetUnit);
        }
        Blob(maps, 10, 24, 30);
        var found = Assert.Single(BottomUpPose.Decode(maps, [], Height, Width, 4, 4)).Keypoints[10];
        Assert.Equal((38f, 18f), (found.X / 4 - 0.5f, found.Y / 4 - 0.5f));

        // Where the elbow is hidden nothing leads on from it, and the centre's word stands.
        Array.Fill(maps, -8f, 8 * plane, plane);
        found = Assert.Single(BottomUpPose.Decode(maps, [], Height, Width, 4, 4)).Keypoints[10];
        Assert.Equal((24f, 30f), (found.X / 4 - 0.5f, found.Y / 4 - 0.5f));
    }

    [Fact]
    public void APoseCountsForMoreWhereItsJointsLieOnAPerson()
    {
        // A faint person on the left, a post on the right that the centres take for someone: only the classes know which is which.
        var maps = Maps([Person(16, 22, 16), Person(48, 22, 16)]);
        Dim(maps, 0, 32, centre: 0.15f, joints: 0.3f);
        Dim(maps, 32, Width, centre: 0.35f, joints: 0.1f);
        var person = new float[Height * Width];
        for (var y = 0; y < Height; y++) Array.Fill(person, 0.8f, y * Width, 32);

        Assert.InRange(Assert.Single(BottomUpPose.Decode(maps, [], Height, Width, 1, 1)).Box.Left, 32, Width);
        var found = Assert.Single(BottomUpPose.Decode(maps, person, Height, Width, 1, 1));
        Assert.InRange(found.Box.Left, 0, 20);
        Assert.InRange(found.Score, BottomUpPose.LeastScore, MathF.Cbrt(0.15f * 0.3f * 0.8f));
    }

    [Fact]
    public void WhoIsSeenFaintlyHasToStandWhereNobodyWasFound()
    {
        // A second, faint centre on a large person, which takes head for feet; another faint person beside.
        var maps = Maps([Person(20, 24, 30), Person(50, 24, 14)]);
        Dim(maps, 32, Width, centre: 0.15f, joints: 0.4f);
        var second = Person(20, 24, 26).Reverse().ToArray();
        var (x, y) = (20, 31);
        maps[(17 * Height + y) * Width + x] = MathF.Log(0.15f / 0.85f);
        for (var j = 0; j < 17; j++)
        {
            maps[((18 + 2 * j) * Height + y) * Width + x] = (second[j].X - x) / MetaPromptsMulti.OffsetUnit;
            maps[((19 + 2 * j) * Height + y) * Width + x] = (second[j].Y - y) / MetaPromptsMulti.OffsetUnit;
        }
        var person = new float[Height * Width];
        Array.Fill(person, 0.9f);
        var found = BottomUpPose.Decode(maps, person, Height, Width, 1, 1);
        Assert.Equal(2, found.Count);
        Assert.True(found[0].Box.Left < 32 && found[1].Box.Left > 32);
    }

    /// <summary>Makes columns say less: nowhere more than so much.</summary>
    private static void Dim(float[] maps, int from, int to, float centre, float joints)
    {
        for (var channel = 0; channel <= 17; channel++)
        {
            var most = channel == 17 ? centre : joints;
            var less = MathF.Log(most / (1 - most)) - MathF.Log(0.98f / 0.02f);
            for (var y = 0; y < Height; y++)
                for (var x = from; x < to; x++) maps[(channel * Height + y) * Width + x] += less;
        }
    }

    [Fact]
    public void ClassesThatAreNoNumbersFindNobody()
    {
        var person = new float[Height * Width];
        Array.Fill(person, float.NaN);
        Assert.Empty(BottomUpPose.Decode(Maps([Person(20, 20, 12)]), person, Height, Width, 4, 4));
    }

    private static (float X, float Y)[] Person(float x, float y, float size) =>
        [.. Enumerable.Range(0, 17).Select(j => (x + (j % 2 == 0 ? 1 : -1) * size * 0.15f, y + size * (j / 16f - 0.5f)))];

    private static float[] Maps((float X, float Y)[][] people)
    {
        var maps = new float[MetaPromptsMulti.PoseChannels * Height * Width];
        Array.Fill(maps, -8f, 0, 18 * Height * Width);
        foreach (var person in people)
        {
            for (var j = 0; j < 17; j++) Blob(maps, j, person[j].X, person[j].Y);
            for (var l = 0; l < MetaPromptsMulti.Limbs.Count; l++)
            {
                var ((fromX, fromY), (toX, toY)) = (person[MetaPromptsMulti.Limbs[l].From], person[MetaPromptsMulti.Limbs[l].To]);
                for (var y = (int)fromY - 1; y <= (int)fromY + 2; y++)
                {
                    for (var x = (int)fromX - 1; x <= (int)fromX + 2; x++)
                    {
                        if (x < 0 || y < 0 || x >= Width || y >= Height) continue;
                        maps[((52 + 2 * l) * Height + y) * Width + x] = (toX - x) / MetaPromptsMulti.OffsetUnit;
                        maps[((53 + 2 * l) * Height + y) * Width + x] = (toY - y) / MetaPromptsMulti.OffsetUnit;
                    }
                }
            }
            var (cx, cy) = (person.Average(p => p.X), person.Average(p => p.Y));
            Blob(maps, 17, cx, cy);
            for (var y = (int)cy - 1; y <= (int)cy + 2; y++)
            {
                for (var x = (int)cx - 1; x <= (int)cx + 2; x++)
                {
                    for (var j = 0; j < 17; j++)
                    {
                        maps[((18 + 2 * j) * Height + y) * Width + x] = (person[j].X - x) / MetaPromptsMulti.OffsetUnit;
                        maps[((19 + 2 * j) * Height + y) * Width + x] = (person[j].Y - y) / MetaPromptsMulti.OffsetUnit;
                    }
                }
            }
        }
        return maps;
    }

    private static void Blob(float[] maps, int channel, float cx, float cy)
    {
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                var p = Math.Clamp(MathF.Exp(-((x - cx) * (x - cx) + (y - cy) * (y - cy)) / 2), 0.0004f, 0.98f);
                ref var cell = ref maps[(channel * Height + y) * Width + x];
                cell = Math.Max(cell, MathF.Log(p / (1 - p)));
            }
        }
    }
}
