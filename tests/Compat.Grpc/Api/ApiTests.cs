using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Api;

/// <summary>The parts of the interface that act without a connection.</summary>
public sealed class ApiTests
{
    private static readonly Method<string, string> Method =
        new(MethodType.Unary, "a.B", "C", Marshallers.StringMarshaller, Marshallers.StringMarshaller);

    [Fact]
    public void Method_FullName_IsThePath() => Assert.Equal("/a.B/C", Method.FullName);

    [Fact]
    public void Status_ToString_NamesCodeDetailAndCause()
    {
        Assert.Equal("Status(StatusCode=\"NotFound\", Detail=\"gone\")", new Status(StatusCode.NotFound, "gone").ToString());
        Assert.Equal(
            "Status(StatusCode=\"Internal\", Detail=\"d\", DebugException=\"System.FormatException: f\")",
            new Status(StatusCode.Internal, "d", new FormatException("f")).ToString());
        Assert.Equal(StatusCode.OK, default(Status).StatusCode);
    }

    [Fact]
    public void RpcException_FromStatus_CarriesIt()
    {
        FormatException cause = new("f");
        RpcException error = new(new Status(StatusCode.Internal, "d", cause));
        Assert.Same(cause, error.InnerException);
        Assert.Same(Metadata.Empty, error.Trailers);
        Assert.Equal(error.Status.ToString(), error.Message);
        Assert.Equal("own words", new RpcException(Status.DefaultCancelled, [], "own words").Message);
        Assert.Throws<ArgumentNullException>(() => new RpcException(Status.DefaultCancelled, (Metadata)null!));
    }

    [Fact]
    public void CallOptions_With_ChangesACopy()
    {
        CallOptions none = default;
        DateTime deadline = new(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        CallOptions changed = none.WithDeadline(deadline).WithHeaders([]).WithWaitForReady().WithWriteOptions(WriteOptions.Default);

        Assert.Equal((deadline, true), (changed.Deadline, changed.IsWaitForReady));
        Assert.Same(WriteOptions.Default, changed.WriteOptions);
        Assert.NotNull(changed.Headers);
        Assert.Equal((null, false), (none.Deadline, none.IsWaitForReady));
        Assert.False(changed.WithWaitForReady(false).IsWaitForReady);
    }

    [Fact]
    public void Marshaller_FromPlainFunctions_ServesTheContextualOnes()
    {
        ArrayContext context = new();
        Marshallers.StringMarshaller.ContextualSerializer("grüß", context);
        Assert.Equal("grüß"u8.ToArray(), context.Payload);
        Assert.Equal("grüß", Marshallers.StringMarshaller.ContextualDeserializer(new ArrayDeserialization(context.Payload!)));
    }

    [Fact]
    public void Marshaller_FromContextualFunctions_HasNoPlainOnes()
    {
        Marshaller<string> marshaller = Marshallers.Create<string>((_, _) => { }, _ => "");
        Assert.Throws<NotImplementedException>(() => marshaller.Serializer("x"));
        Assert.Throws<NotImplementedException>(() => marshaller.Deserializer([]));
    }

    [Fact]
    public void ServerServiceDefinition_Methods_ReachTheBinderInOrder()
    {
        UnaryServerMethod<string, string> handler = (_, _) => Task.FromResult("");
        Method<string, string> second = new(MethodType.Unary, "a.B", "D", Method.RequestMarshaller, Method.ResponseMarshaller);
        RecordingBinder binder = new();

        ServerServiceDefinition.CreateBuilder().AddMethod(Method, handler).AddMethod(second, handler).Build().BindService(binder);

        Assert.Equal(["/a.B/C", "/a.B/D"], binder.Paths);
        Assert.Throws<ArgumentException>(
            () => ServerServiceDefinition.CreateBuilder().AddMethod(Method, handler).AddMethod(Method, handler));
        Assert.Throws<NotImplementedException>(() => new ServiceBinderBase().AddMethod(Method, handler));
    }

    [Fact]
    public void AuthContext_Properties_AreFoundByName()
    {
        AuthProperty name = AuthProperty.Create("name", "wärd"u8.ToArray());
        AuthContext context = new("name", new() { ["name"] = [name], ["other"] = [AuthProperty.Create("other", [1])] });

        Assert.True(context.IsPeerAuthenticated);
        Assert.Equal([name], context.PeerIdentity);
        Assert.Equal("wärd", name.Value);
        Assert.Equal(2, context.Properties.Count());
        Assert.Empty(context.FindPropertiesByName("missing"));
        Assert.Empty(new AuthContext(null, []).PeerIdentity);
    }

    [Fact]
    public void CallCredentials_ComposeOne_Throws() =>
        Assert.Throws<ArgumentException>(() => CallCredentials.Compose(CallCredentials.FromInterceptor((_, _) => Task.CompletedTask)));

    [Fact]
    public async Task StreamWriter_ThatCannotCancel_RefusesATokenThatCan()
    {
        IAsyncStreamWriter<string> writer = new ListWriter();
        await writer.WriteAsync("a", CancellationToken.None);
        using CancellationTokenSource stop = new();
        await Assert.ThrowsAsync<NotSupportedException>(() => writer.WriteAsync("b", stop.Token));
        Assert.Equal(["a"], ((ListWriter)writer).Written);
    }

    private sealed class ArrayContext : SerializationContext
    {
        public byte[]? Payload { get; private set; }

        public override void Complete(byte[] payload) => Payload = payload;
    }

    private sealed class ArrayDeserialization(byte[] payload) : DeserializationContext
    {
        public override int PayloadLength => payload.Length;

        public override byte[] PayloadAsNewBuffer() => payload;
    }

    private sealed class RecordingBinder : ServiceBinderBase
    {
        public List<string> Paths { get; } = [];

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) => Paths.Add(method.FullName);
    }

    private sealed class ListWriter : IAsyncStreamWriter<string>
    {
        public List<string> Written { get; } = [];

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(string message)
        {
            Written.Add(message);
            return Task.CompletedTask;
        }
    }
}
