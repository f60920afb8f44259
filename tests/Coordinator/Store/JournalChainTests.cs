using Federated.Coordinator.Store;

namespace Federated.Coordinator.Tests.Store;

public sealed class JournalChainTests
{
    [Fact]
    public void Next_VectorOfTheSpecification_Matches()
    {
        byte[] payload = """{"run":"demo"}"""u8.ToArray();
        Assert.Equal("0e0000000100000001000000000000007b2272756e223a2264656d6f227da2fb89c0",
            Convert.ToHexStringLower(JournalChain.FileForm(1, RecordType.RunCreated, payload)));
        Assert.Equal("80505528491bfac2d70cb824365da99a777a7acf56006825e7e1bb94e19c5dc4",
            Convert.ToHexStringLower(JournalChain.Next(JournalChain.Start, 1, RecordType.RunCreated, payload)));
    }

    [Fact]
    public void Crc32C_CheckValue_Matches() => Assert.Equal(0xe3069283u, JournalChain.Crc32C("123456789"u8));
}
