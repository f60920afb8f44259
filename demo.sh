#!/usr/bin/env bash
# The main job in one command: installs what is missing, builds, then fine-tunes the small base model of this
# repository on four private mailboxes with one coordinator and four agent processes on this machine.
# Results: artifacts/demo/summary.json, report.html and the adapter folder. Arguments go to 'simulations run'.
set -euo pipefail
cd "$(dirname "$0")"
. eng/bootstrap.sh

need_runtime

say "building (Release)"
mkdir -p artifacts
if ! dotnet build simulations/Federated.Simulations.csproj -c Release -v quiet --nologo >artifacts/build.txt 2>&1; then
  grep -E 'error|warning' artifacts/build.txt | sort -u | head -n 40
  fail "the build failed; all of its output is in artifacts/build.txt"
fi

say "running simulations/scenarios/mail.yaml"
exec dotnet artifacts/bin/Federated.Simulations/release/Federated.Simulations.dll \
  run simulations/scenarios/mail.yaml --out artifacts/demo "$@"
