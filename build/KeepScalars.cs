using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies TorchSharp.dll, marking each method that hands a Scalar's native number on with MethodImplOptions.NoOptimization (one bit of its row in the table of methods). TorchSharp 0.107 reads
/// alpha.Handle and then calls native code with it, and nothing keeps alpha alive: optimised code lets go of it there, and when a collection falls into the call its finaliser frees the number that
/// libtorch is about to read (measured: 56 exceptions in 150,000 additions beside a busy collector, none in two million with this). Code that is not optimised keeps its arguments to the end.
/// </summary>
public sealed class KeepScalars : Task
{
    private const int NoOptimization = 0x40;

    [Required] public string Source { get; set; }
    [Required] public string Destination { get; set; }

    public override bool Execute()
    {
        // Not the package's own time: a file of the same time and length, left by a build without this, would count as up to date.
        DateTime time = File.GetLastWriteTimeUtc(Source).AddSeconds(2);
        byte[] b = File.ReadAllBytes(Source);
        int marked = Mark(b);
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        string tmp = Destination + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(tmp, b);
        File.SetLastWriteTimeUtc(tmp, time);
        if (File.Exists(Destination)) File.Delete(Destination);
        File.Move(tmp, Destination);
        Log.LogMessage(MessageImportance.High, marked == 0
            ? "TorchSharp.dll has no Scalar.Handle: nothing to keep alive"
            : "TorchSharp.dll: " + marked + " methods keep their numbers alive through native calls");
        return true;
    }

    /// <returns>Methods marked.</returns>
    static int Mark(byte[] b)
    {
        var tables = new Tables(b);
        uint token = tables.Method("TorchSharp", "Scalar", "get_Handle");
        int marked = 0;
        for (int row = 1; token != 0 && row <= tables.Methods; row++)
        {
            if (!Calls(b, tables.BodyOf(row), token)) continue;
            b[tables.RowOf(row) + 4] |= NoOptimization;                          // RVA (4 bytes), ImplFlags (2 bytes), …
            marked++;
        }
        return marked;
    }

    /// <summary>call or callvirt of the token. An operand that happens to look like one marks a method that need not be: harmless.</summary>
    static bool Calls(byte[] b, (int At, int Length) il, uint token)
    {
        for (int i = il.At; i + 4 < il.At + il.Length; i++)
            if ((b[i] == 0x28 || b[i] == 0x6F) && BitConverter.ToUInt32(b, i + 1) == token) return true;
        return false;
    }

    /// <summary>The tables of types and methods of a managed PE file (ECMA-335 II.24, II.25): System.Reflection.Metadata is not to be had in an inline task of every SDK.</summary>
    sealed class Tables
    {
        const int TypeDef = 2, Field = 4, MethodDef = 6;
        readonly byte[] b;
        readonly int sections, sectionCount, strings, stringIndex, typeRow, methodRow, types, methods, typeExtends, fieldIndex, methodIndex;

        public Tables(byte[] bytes)
        {
            b = bytes;
            int pe = I4(0x3C), optional = pe + 24;
            sectionCount = U2(pe + 6);
            sections = optional + U2(pe + 20);
            int directories = optional + (U2(optional) == 0x20B ? 112 : 96);
            int root = Offset(I4(Offset(I4(directories + 14 * 8)) + 8));         // CLI header → metadata
            int at = root + 16 + I4(root + 12), streams = U2(at + 2), tables = 0, end;
            at += 4;
            for (int i = 0; i < streams; i++)
            {
                for (end = at + 8; b[end] != 0; end++) { }
                string name = Encoding.ASCII.GetString(b, at + 8, end - at - 8);
                if (name == "#~") tables = root + I4(at);
                if (name == "#Strings") strings = root + I4(at);
                at = at + 8 + (end - at - 8) / 4 * 4 + 4;
            }

            int heaps = b[tables + 6];
            ulong present = BitConverter.ToUInt64(b, tables + 8);
            var rows = new int[64];
            at = tables + 24;
            for (int i = 0; i < 64; i++)
                if ((present >> i & 1) != 0) { rows[i] = I4(at); at += 4; }

            stringIndex = (heaps & 1) != 0 ? 4 : 2;
            int guid = (heaps & 2) != 0 ? 4 : 2, blob = (heaps & 4) != 0 ? 4 : 2;
            fieldIndex = Index(rows[Field]);
            methodIndex = Index(rows[MethodDef]);
            int scope = Coded(2, rows[0], rows[0x1A], rows[0x23], rows[1]);      // Module, ModuleRef, AssemblyRef, TypeRef
            typeExtends = Coded(2, rows[TypeDef], rows[1], rows[0x1B]);          // TypeDef, TypeRef, TypeSpec
            typeRow = 4 + 2 * stringIndex + typeExtends + fieldIndex + methodIndex;
            methodRow = 8 + stringIndex + blob + Index(rows[8]);
            types = at + rows[0] * (2 + stringIndex + 3 * guid) + rows[1] * (scope + 2 * stringIndex);
            methods = types + rows[TypeDef] * typeRow + rows[3] * fieldIndex + rows[Field] * (2 + stringIndex + blob) + rows[5] * methodIndex;
            (Types, Methods) = (rows[TypeDef], rows[MethodDef]);
        }

        int Types { get; }

        public int Methods { get; }

        /// <param name="row">From 1.</param>
        public int RowOf(int row) => methods + (row - 1) * methodRow;

        /// <returns>Its token, or 0.</returns>
        public uint Method(string space, string type, string method)
        {
            for (int row = 1; row <= Types; row++)
            {
                int at = types + (row - 1) * typeRow;
                if (Text(Read(at + 4, stringIndex)) != type || Text(Read(at + 4 + stringIndex, stringIndex)) != space) continue;
                int list = 4 + 2 * stringIndex + typeExtends + fieldIndex;
                int first = Read(at + list, methodIndex), end = row < Types ? Read(at + typeRow + list, methodIndex) : Methods + 1;
                for (int i = first; i < end; i++)
                    if (Text(Read(RowOf(i) + 8, stringIndex)) == method) return 0x06000000u | (uint)i;
            }
            return 0;
        }

        /// <returns>Where its code is; of length 0 where it has none.</returns>
        public (int At, int Length) BodyOf(int row)
        {
            int rva = I4(RowOf(row));
            if (rva == 0) return (0, 0);
            int at = Offset(rva);
            return (b[at] & 3) == 2 ? (at + 1, b[at] >> 2) : (at + 12, I4(at + 4));
        }

        int Offset(int rva)
        {
            for (int i = 0; i < sectionCount; i++)
            {
                int at = sections + 40 * i, from = I4(at + 12), size = Math.Max(I4(at + 8), I4(at + 16));
                if (rva >= from && rva < from + size) return rva - from + I4(at + 20);
            }
            throw new InvalidDataException("an address outside of every section");
        }

        string Text(int index)
        {
            int end = strings + index;
            while (b[end] != 0) end++;
            return Encoding.UTF8.GetString(b, strings + index, end - strings - index);
        }

        static int Index(int rows) => rows < 0x10000 ? 2 : 4;

        static int Coded(int bits, params int[] rows)
        {
            foreach (int count in rows) if (count >= 1 << (16 - bits)) return 4;
            return 2;
        }

        int Read(int at, int size) => size == 2 ? U2(at) : I4(at);

        int U2(int at) => BitConverter.ToUInt16(b, at);

        int I4(int at) => BitConverter.ToInt32(b, at);
    }
}
