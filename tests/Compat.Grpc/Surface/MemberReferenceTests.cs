using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Grpc.AspNetCore.Server;
using Grpc.Net.Client;

namespace Federated.Compat.Grpc.Tests.Surface;

/// <summary>Everything the official binaries refer to in the two assemblies exists: else a call would fail when it is first made.</summary>
public sealed class MemberReferenceTests
{
    // Stands for every type parameter of a generic parent; all constraints there are 'class'.
    private static readonly Type[] AnyArguments = [.. Enumerable.Repeat(typeof(object), 8)];

    public static TheoryData<string> Binaries => [typeof(GrpcChannel).Assembly.Location, typeof(GrpcServiceOptions).Assembly.Location];

    [Theory]
    [MemberData(nameof(Binaries))]
    public void Binary_ReferencesToOurAssemblies_AllResolve(string binary)
    {
        Module module = Assembly.LoadFrom(binary).ManifestModule;
        using PEReader file = new(File.OpenRead(binary));
        MetadataReader metadata = file.GetMetadataReader();
        List<string> missing = [];
        int found = 0;

        foreach (TypeReferenceHandle handle in metadata.TypeReferences.Where(type => IsOurs(metadata, type)))
            Try(() => module.ResolveType(MetadataTokens.GetToken(handle)), metadata.GetString(metadata.GetTypeReference(handle).Name));
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (IsOurs(metadata, member.Parent))
                Try(() => module.ResolveMember(MetadataTokens.GetToken(handle), AnyArguments, AnyArguments), metadata.GetString(member.Name));
        }

        Assert.Empty(missing);
        Assert.InRange(found, 100, 10_000);

        void Try(Func<MemberInfo?> resolve, string name)
        {
            try
            {
                if (IsReachable(resolve()))
                    found++;
                else
                    missing.Add($"{name}: not public");
            }
            catch (Exception error) when (error is MissingMemberException or TypeLoadException or ArgumentException)
            {
                missing.Add($"{name}: {error.Message}");
            }
        }
    }

    private static bool IsReachable(MemberInfo? member) => member switch
    {
        Type type => type.IsVisible,
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        _ => false,
    };

    private static bool IsOurs(MetadataReader metadata, EntityHandle handle) => handle.Kind switch
    {
        HandleKind.TypeReference => IsOurs(metadata, metadata.GetTypeReference((TypeReferenceHandle)handle).ResolutionScope),
        HandleKind.AssemblyReference => metadata.GetString(
            metadata.GetAssemblyReference((AssemblyReferenceHandle)handle).Name) is "Grpc.Core.Api" or "Grpc.Net.Common",
        HandleKind.TypeSpecification => IsOurs(metadata, GenericParent(metadata, (TypeSpecificationHandle)handle)),
        _ => false,
    };

    // A generic instantiation is written GENERICINST (class | valuetype) type ...: ECMA-335 II.23.2.12.
    private static EntityHandle GenericParent(MetadataReader metadata, TypeSpecificationHandle handle)
    {
        BlobReader blob = metadata.GetBlobReader(metadata.GetTypeSpecification(handle).Signature);
        if (blob.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
            return default;
        blob.ReadByte();
        return blob.ReadTypeHandle();
    }
}
