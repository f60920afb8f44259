using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>Writes its name into the trailer <c>order</c> of unary calls, on the way in.</summary>
public sealed class OrderInterceptor(string name) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        context.ResponseTrailers.Add("order", name);
        return continuation(request, context);
    }
}
