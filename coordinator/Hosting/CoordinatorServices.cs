using Federated.Coordinator.Endpoints;
using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>The composition root: which part gets which.</summary>
internal static class CoordinatorServices
{
    /// <summary>Builds the web application; nothing listens yet.</summary>
    public static WebApplication Build(CoordinatorOptions options, CoordinatorSeams seams, StateFolder folder, IJournal journal)
    {
        // Empty: no settings file of the current folder and no ASPNETCORE_ variable changes what this program does.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = typeof(CoordinatorServices).Assembly.GetName().Name });
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning);
        seams.Logging(builder.Logging);

        WireMeter meter = new();
        builder.WebHost.UseKestrel(kestrel => KestrelSetup.Apply(kestrel, options, meter));
        IServiceCollection services = builder.Services;
        services.AddRouting();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        services.AddSingleton(meter).AddSingleton(seams.Clock).AddSingleton(seams.Disk).AddSingleton(seams.FailPoints);
        services.AddSingleton(folder).AddSingleton(journal).AddSingleton(new BlobStore(seams.Disk, folder.Blobs));
        AddRounds(services);
        AddEndpoints(services, options);

        WebApplication app = builder.Build();
        app.Use(KestrelSetup.LiftLimits);
        app.Use(WireErrors.Map);
        app.MapGrpcService<FederationService>();
        app.MapGrpcService<OperationsService>();
        app.MapGrpcService<HealthService>();
        return app;
    }

    private static void AddRounds(IServiceCollection services)
    {
        services.AddSingleton<ChangeSignal>().AddSingleton<RunRegistry>().AddSingleton<ModelFolders>().AddSingleton<AdapterExporter>().AddSingleton<Recovery>();
        services.AddSingleton<SiteHub>().AddSingleton<ISiteLinks>(provider => provider.GetRequiredService<SiteHub>());
        services.AddSingleton(provider => new RunServices(
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IJournal>(),
            provider.GetRequiredService<BlobStore>(),
            provider.GetRequiredService<ISiteLinks>(),
            provider.GetRequiredService<AdapterExporter>(),
            provider.GetRequiredService<ChangeSignal>(),
            provider.GetRequiredService<FailPoints>(),
            provider.GetRequiredService<ILogger<RunLoop>>()));
    }

    private static void AddEndpoints(IServiceCollection services, CoordinatorOptions options)
    {
        services.AddSingleton<ISiteAuthenticator>(new TokenAuthenticator(options.Tokens));
        services.AddSingleton<Readiness>().AddSingleton<CallBudget>().AddSingleton<CallerGate>().AddSingleton<FatalErrors>();
        services.AddSingleton<SiteRegistrations>().AddSingleton<BlobSource>().AddSingleton<WorkStream>();
        services.AddSingleton<UpdateInspector>().AddSingleton<UploadReceiver>().AddSingleton<SnapshotBuilder>();
        services.AddSingleton<FederationService>().AddSingleton<OperationsService>().AddSingleton<HealthService>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = ProtocolLimits.MessageBytes;
            grpc.MaxSendMessageSize = ProtocolLimits.MessageBytes;
            // The package's own providers inflate without bound.
            grpc.CompressionProviders.Clear();
            grpc.CompressionProviders.Add(new BoundedGzipProvider(ProtocolLimits.MessageBytes));
            grpc.Interceptors.Add<RefusalInterceptor>();
        }).AddServiceOptions<OperationsService>(operations => operations.MaxSendMessageSize = SnapshotBuilder.MessageBytes);
    }
}
