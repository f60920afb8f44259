# Sourced by demo.sh and test.sh: makes sure that what they need is installed. Quick when there is nothing to do.
#   need_dotnet                     the .NET 10 SDK
#   need_packages NAME...           Debian packages; installs what is missing, or says how when it may not
# Exits with 69 (a needed service is unavailable) when something is missing and cannot be installed from here.

say() { printf '==> %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 69; }

need_dotnet() {
  if ! command -v dotnet >/dev/null 2>&1; then
    fail "the .NET SDK is missing. Install .NET 10, for example: apt-get install dotnet-sdk-10.0 (see learn.microsoft.com/dotnet/core/install/linux-debian), then run this again."
  fi
  local version
  version=$(dotnet --list-sdks | awk '{print $1}' | sort -V | tail -n 1)
  if [ "${version%%.*}" -lt 10 ] 2>/dev/null || [ -z "$version" ]; then
    fail "the newest .NET SDK here is '${version:-none}', 10.0 or newer is needed: apt-get install dotnet-sdk-10.0"
  fi
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
}

need_packages() {
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0

  local command="apt-get install -y --no-install-recommends ${missing[*]}" as_root=()
  command -v apt-get >/dev/null 2>&1 || fail "these Debian packages are needed and there is no apt-get here: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then as_root=(sudo -n); else fail "these packages are missing; install them with: sudo $command"; fi
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  # The package lists of a fresh machine may be old or absent: refresh them only when the first try fails.
  if ! DEBIAN_FRONTEND=noninteractive "${as_root[@]}" $command >"$log" 2>&1; then
    { "${as_root[@]}" apt-get update && DEBIAN_FRONTEND=noninteractive "${as_root[@]}" $command; } >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2; fail "could not install them. Try by hand: $command"; }
  fi
  rm -f "$log"
}

# What building and running needs: a compiler and libtorch for the bridge of shared/compat/torch (LIBTORCH=<dir> takes
# another libtorch), and the OpenMP flavour of OpenBLAS, so that libtorch and BLAS share one thread pool.
need_runtime() {
  need_dotnet
  if [ -n "${LIBTORCH:-}" ]; then need_packages g++; else need_packages g++ libtorch-dev libopenblas0-openmp; fi
}

# What the tests talk to besides: gRPC, MessagePack and numbers by independent implementations.
need_test_peers() { need_packages python3 python3-grpcio python3-msgpack python3-numpy; }
