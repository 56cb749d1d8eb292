using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Copies an ELF64 file, lowering its GLIBCXX_3.4.32 requirement to GLIBCXX_3.4.20.</summary>
public sealed class PatchGlibcxx : Task
{
    [Required] public string Source { get; set; }
    [Required] public string Destination { get; set; }

    const string OldVersion = "GLIBCXX_3.4.32", NewVersion = "GLIBCXX_3.4.20";
    const string OldSymbol = "_ZSt21ios_base_library_initv", NewSymbol = "_ZSt15get_new_handlerv";

    public override bool Execute()
    {
        byte[] b = File.ReadAllBytes(Source);
        int patched = Patch(b);
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        string tmp = Destination + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(tmp, b);
        File.SetLastWriteTimeUtc(tmp, File.GetLastWriteTimeUtc(Source));
        if (File.Exists(Destination)) File.Delete(Destination);
        File.Move(tmp, Destination);
        Log.LogMessage(MessageImportance.High, patched == 0
            ? "libLibTorchSharp.so needs no compatibility change"
            : "libLibTorchSharp.so: requirement " + OldVersion + " lowered to " + NewVersion);
        return true;
    }

    static int Patch(byte[] b)
    {
        if (b.Length < 64 || b[0] != 0x7f || b[1] != 'E' || b[2] != 'L' || b[3] != 'F' || b[4] != 2) return 0;
        long shoff = BitConverter.ToInt64(b, 0x28);
        int shentsize = BitConverter.ToUInt16(b, 0x3A), shnum = BitConverter.ToUInt16(b, 0x3C);
        for (int i = 0; i < shnum; i++)
        {
            long s = shoff + (long)i * shentsize;
            if (BitConverter.ToUInt32(b, (int)s + 4) != 0x6ffffffeu) continue;          // SHT_GNU_verneed
            long off = BitConverter.ToInt64(b, (int)s + 24);
            long str = shoff + (long)BitConverter.ToUInt32(b, (int)s + 40) * shentsize;  // linked .dynstr
            long strOff = BitConverter.ToInt64(b, (int)str + 24), strSize = BitConverter.ToInt64(b, (int)str + 32);
            int n = 0;
            for (long o = off; ;)
            {
                int cnt = BitConverter.ToUInt16(b, (int)o + 2);
                long a = o + BitConverter.ToUInt32(b, (int)o + 8);
                for (int k = 0; k < cnt; k++)
                {
                    long name = strOff + BitConverter.ToUInt32(b, (int)a + 8);
                    if (Equal(b, name, OldVersion))
                    {
                        Put(b, name, NewVersion);
                        Array.Copy(BitConverter.GetBytes(ElfHash(NewVersion)), 0, b, a, 4);
                        n++;
                    }
                    a += BitConverter.ToUInt32(b, (int)a + 12);
                }
                uint next = BitConverter.ToUInt32(b, (int)o + 12);
                if (next == 0) break;
                o += next;
            }
            if (n == 0) return 0;
            for (long p = strOff; p < strOff + strSize - OldSymbol.Length; p++)
                if (Equal(b, p, OldSymbol)) { Put(b, p, NewSymbol); break; }
            return n;
        }
        return 0;
    }

    static bool Equal(byte[] b, long at, string s)
    {
        for (int i = 0; i < s.Length; i++) if (b[at + i] != s[i]) return false;
        return b[at + s.Length] == 0;
    }

    static void Put(byte[] b, long at, string s)
    {
        byte[] t = Encoding.ASCII.GetBytes(s + "\0");
        Array.Copy(t, 0, b, at, t.Length);
    }

    static uint ElfHash(string s)
    {
        uint h = 0;
        foreach (char c in s) { h = (h << 4) + c; uint g = h & 0xf0000000u; if (g != 0) h ^= g >> 24; h &= ~g; }
        return h;
    }
}
