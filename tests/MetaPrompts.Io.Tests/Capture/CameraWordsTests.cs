using System.Globalization;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Io.Tests.Capture;

/// <summary>Which pictures are damaged, by what ffmpeg says between them. K: key frame, P: built on the one before, g: packets missing, r: a reference missing, d: parts made up.</summary>
public sealed class CameraWordsTests
{
    [Theory]
    [InlineData("KPPKPP", "......")]
    [InlineData("KPgPKPKP", "..XXX..")]                                 // the key behind the picture that was waiting may be the one that lacks them
    [InlineData("KPgPPKPP", "..XX...")]                                  // with one more between, it cannot
    [InlineData("KPPgKPPKPP", "...XXX...")]
    [InlineData("rKPP", "...")]                                        // joined in the middle of a group: what came before could not be decoded, the key can
    [InlineData("KPrPPKPP", "..XX...")]
    [InlineData("KPdPPKPP", "..XX...")]
    [InlineData("dKPPKPP", "XXX...")]
    public async Task DamageIsToldUpToTheNextPictureThatNeedsNoOther(string said, string expected)
    {
        Assert.True(CameraAddress.TryParse("rtsp://camera/1", out var camera));
        var words = new CameraWords(camera, scaled: false);
        var told = "";
        var n = 0;
        foreach (var letter in said)
        {
            words.Read(letter switch
            {
                'g' => "[rtsp @ 0x55] [warning] RTP: missed 2 packets",
                'r' => "[h264 @ 0x55] [error] non-existing PPS 0 referenced",
                'd' => "[h264 @ 0x55] [info] concealing 40 DC, 40 AC, 40 MV errors in P frame",
                _ => string.Create(CultureInfo.InvariantCulture, $"[Parsed_showinfo_0 @ 0x55] [info] n:{n} pts:{3600 * n++} pts_time:0 pos:-1 fmt:yuv420p sar:1/1 s:320x240 i:P iskey:{(letter == 'K' ? 1 : 0)} type:{letter}"),
            });
            if (letter is 'K' or 'P') told += (await words.NextAsync())!.Value.Corrupt ? 'X' : '.';
        }

        Assert.Equal(expected, told);
    }
}
