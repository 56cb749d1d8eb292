using System.IO.Compression;
using System.Text;
using MetaPrompts.Training.Tests.Data.Scenes.Models.Figures;

namespace MetaPrompts.Training.Tests.Data.Scenes.Models.Props;

/// <summary>A folder with one catalogue as Sweet Home 3D packs them: a chair of three boxes, and a car that is a wedge lying along x.</summary>
internal sealed class TinyCatalogue : IDisposable
{
    // Seat, back and foot; the back is at -z. Corners are counted from 1, and the back's from the end.
    private const string Chair = """
        mtllib chair.mtl
        v -1 1 -1
        v 1 1 -1
        v 1 1 1
        v -1 1 1
        v -1 2 -1
        v 1 2 -1
        v 0 0 0
        vt 0 0
        vt 1 0
        vt 1 1
        usemtl cloth
        f 1/1 2/2 3/3 4/1
        f -7/1 -6/2 -2/3 -3/9
        usemtl glass
        f 1 3 7
        usemtl wood
        f 1//1 2//1 7//1
        f 3 4 7
        """;

    private const string Car = """
        v 0 0 0
        v 4 0 0
        v 4 1.4 0
        v 0 0 1.8
        v 4 0 1.8
        v 4 1.4 1.8
        f 1 2 3
        f 4 5 6
        f 1 4 6 3
        f 2 5 6 3
        """;

    public const string Catalogue = """
        # comment
        id=Tiny
        id#1=Tiny#chair
        name#1=Wooden Chair
        category#1=Living room
        model#1=/tiny/chair/chair.obj
        width#1=50
        depth#1=55
        height#1=95
        id#2=Tiny#car
        name#2=Coupe
        category#2=Vehicles
        model#2=/tiny/car/car.obj
        width#2=400
        depth#2=180
        height#2=140
        id#3=Tiny#wheel
        name#3=Wheelchair
        category#3=Living room
        model#3=/tiny/chair/chair.obj
        width#3=60
        depth#3=80
        height#3=90
        id#4=Tiny#turned
        name#4=Stool
        category#4=Kitchen
        model#4=/tiny/chair/chair.obj
        modelRotation#4=1 0 0 0 0 -1 0 1 0
        width#4=40
        depth#4=40
        height#4=60
        id#5=Tiny#lost
        name#5=Chair without a file
        category#5=Living room
        model#5=/tiny/lost.obj
        width#5=50
        depth#5=50
        height#5=90
        id#6=Tiny#flat
        name#6=Chair without a height
        category#6=Living room
        model#6=/tiny/chair/chair.obj
        width#6=50
        depth#6=50
        height#6=none
        """;

    public TinyCatalogue(string catalogue = Catalogue, string chair = Chair)
    {
        using var archive = ZipFile.Open(File, ZipArchiveMode.Create);
        Add(archive, "PluginFurnitureCatalog.properties", Encoding.Latin1.GetBytes(catalogue));
        Add(archive, "tiny/chair/chair.obj", Encoding.UTF8.GetBytes(chair));
        Add(archive, "tiny/chair/chair.mtl", "newmtl cloth\nKd 1 1 1\nmap_Kd cloth.png\nnewmtl glass\nd 0.2\nnewmtl wood\nKd 0.5 0.3 0.1\n"u8.ToArray());
        Add(archive, "tiny/chair/cloth.png", TinyPackage.Grey);
        Add(archive, "tiny/car/car.obj", Encoding.UTF8.GetBytes(Car));
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("props").FullName;

    public string File => System.IO.Path.Combine(Path, "tiny.sh3f");

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static void Add(ZipArchive archive, string name, byte[] bytes)
    {
        using var entry = archive.CreateEntry(name).Open();
        entry.Write(bytes);
    }
}
