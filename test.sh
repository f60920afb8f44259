#!/usr/bin/env bash
# Installs what is missing, builds everything, runs every test.
# Ends with the line 'N passed, N failed, N skipped'; exit code 0 only when something passed and nothing failed.
# Arguments go to 'dotnet test', for example: ./test.sh --filter FullyQualifiedName~LoraFair
set -uo pipefail
cd "$(dirname "$0")"
. eng/bootstrap.sh

need_runtime
need_test_peers

log=artifacts/test/log.txt
mkdir -p artifacts/test
say "building (Release)"
if ! dotnet build Federated.sln -c Release -v quiet --nologo >artifacts/test/build.txt 2>&1; then
  grep -E 'error|warning' artifacts/test/build.txt | sort -u | head -n 40
  echo "The build failed; all of its output is in artifacts/test/build.txt."
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

say "testing"
: >"$log"
status=0
for project in tests/*/*.Tests.csproj; do
  name=$(basename "$project" .csproj)
  # One project after the other: tests of a kind that use all cores would only slow each other down.
  dotnet test "$project" -c Release --no-build --nologo --blame-hang-timeout 10m --logger "console;verbosity=minimal" "$@" 2>&1 | tee -a "$log" |
    grep -vE '^(Test run for|VSTest version|Starting test execution|A total of|No test matches|$)' || true
  [ "${PIPESTATUS[0]}" -eq 0 ] || { status=1; echo "$name did not pass"; }
done

# Sums the closing line of each project: "Passed!  - Failed:     0, Passed:    12, Skipped:     0, Total: ..."
read -r passed failed skipped < <(
  sed -nE 's/.*- Failed: +([0-9]+), Passed: +([0-9]+), Skipped: +([0-9]+),.*/\2 \1 \3/p' "$log" |
    awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')
# A test host that crashed closes with no line: it must not look like success.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
[ "$passed" -gt 0 ] || status=1
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
