#!/usr/bin/env bash
# Prints what to put first on LD_LIBRARY_PATH so that the official TorchSharp loads; nothing where it loads as it is.
# Its native library comes from GCC 13 and wants one symbol that the libstdc++ of Debian 12 lacks: std::ios_base_library_init(), which is
# empty and only says that the library itself sets up the standard streams. The folder printed holds a library under libstdc++'s name that
# adds the symbol, sets up the streams the older way and leaves all else to the installed libstdc++.
set -euo pipefail
cd "$(dirname "$0")/.."

version=GLIBCXX_3.4.32
installed=$(readlink -f "$(g++ -print-file-name=libstdc++.so.6)")
readelf --version-info --wide "$installed" | grep -q "Name: $version" && exit 0

folder=artifacts/official/libstdcxx
mkdir -p "$folder"
{
  # Whoever asks for a version asks this library, so it declares all that the installed one has.
  readelf --version-info --wide "$installed" | sed -nE 's/.*Rev: 1 .*Name: ((GLIBCXX|CXXABI)_[^ ]+).*/\1 { };/p'
  printf '%s { global: _ZSt21ios_base_library_initv; local: *; };\n' "$version"
} >"$folder/versions.map"
printf '#include <iostream>\nnamespace std { void ios_base_library_init() { } }\n' >"$folder/streams.cpp"
g++ -shared -nostdlib -Wl,-soname,"$(basename "$installed")" -x c++ /dev/null -o "$folder/installed.so"
g++ -shared -fPIC -nodefaultlibs -Wl,-soname,libstdc++.so.6 -Wl,--version-script="$folder/versions.map" \
  "$folder/streams.cpp" -Wl,--no-as-needed "$folder/installed.so" -o "$folder/libstdc++.so.6"
printf '%s\n' "$PWD/$folder"
