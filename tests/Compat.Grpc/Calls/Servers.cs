using Federated.Compat.Grpc.Tests.Probe;
using Federated.Compat.Grpc.Tests.Python;

namespace Federated.Compat.Grpc.Tests.Calls;

public sealed class PlainCalls(ProbeServer server) : CallContract(server), IClassFixture<ProbeServer>;

public sealed class GzipCalls(GzipServer server) : CallContract(server), IClassFixture<GzipServer>;

public sealed class GuardedCalls(GuardedServer server) : CallContract(server), IClassFixture<GuardedServer>;

public sealed class PythonCalls(PythonServer server) : CallContract(server), IClassFixture<PythonServer>;

public sealed class PythonGzipCalls(PythonGzipServer server) : CallContract(server), IClassFixture<PythonGzipServer>;
