# Set-up for ./dev, which sources this file at the root of the tree: Debian packages and DuckDB.
# Both functions do nothing, and take milliseconds, when what they bring is there.

# For whoever waits: on stderr, as a command's output may be read by another.
say() { printf 'dev: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# packages PURPOSE... : "PACKAGE COMMAND" lines of those purposes in tools/packages.txt.
packages() {
  awk -v purposes=" $* " '$1 !~ /^#/ && NF && index(purposes, " " $1 " ") { print $2, $4 }' \
    tools/packages.txt | sort -u
}

on_debian_12() {
  grep -qs '^ID=debian$' /etc/os-release && grep -qs '^VERSION_ID="12"$' /etc/os-release
}

# need PURPOSE... : installs the packages of those purposes that are missing.
need() {
  local wanted missing
  wanted=$(packages "$@")
  if ! on_debian_12; then
    need_commands "$wanted"
    return
  fi
  wanted=$(cut -d' ' -f1 <<<"$wanted")
  # dpkg-query also names, on stderr, the packages it has never heard of.
  # shellcheck disable=SC2086
  missing=$(comm -23 <(echo "$wanted") \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
      sed -n 's/^installed //p' | sort))
  [[ -z $missing ]] || install_packages $missing
}

install_packages() {
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "missing packages; as root, run: apt-get install --no-install-recommends $*"
    as_root=(sudo)
  fi
  say "installing $*"
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

# Anywhere but on Debian 12 the names and versions of packages differ: look for the commands, leave
# the libraries to CMake, which says what it cannot find.
need_commands() {
  local package command missing=()
  while read -r package command; do
    [[ $command == - ]] || command -v "$command" >/dev/null || missing+=("$package")
  done <<<"$1"
  ((${#missing[@]} == 0)) && return
  die "./dev knows Debian 12, and this is another system; install by hand what these packages" \
    "of Debian 12 bring: ${missing[*]} (all packages, with versions: tools/packages.txt)"
}

duckdb_dir() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/millrace/duckdb-1.4.5"; }

# Fetches the files of third_party/duckdb.lock into $(duckdb_dir). They are checked against their
# checksums first and moved there in one step, so a folder that exists is whole; sizes are compared
# each time, in case the lock has changed since.
need_duckdb() {
  local dir package version path bytes sum
  dir=$(duckdb_dir)
  if duckdb_is_there "$dir"; then return; fi
  [[ $(uname -sm) == "Linux x86_64" ]] ||
    die "third_party/duckdb.lock has DuckDB for Linux on x86-64 only; this is $(uname -sm)"
  command -v npm >/dev/null || need fetch

  mkdir -p "${dir%/*}"
  duckdb_unpacked=$(mktemp -d "$dir.XXXXXX")
  trap 'rm -rf "$duckdb_unpacked"' EXIT
  while read -r package version path bytes sum; do
    say "downloading $package $version for ${path##*/} ($((bytes >> 10)) KiB)"
    fetch_from_npm "$package@$version" "$path" "$duckdb_unpacked/${path##*/}" "$sum"
  done < <(duckdb_files)
  chmod 755 "$duckdb_unpacked"
  rm -rf "$dir"
  mv -T "$duckdb_unpacked" "$dir"
  trap - EXIT
  say "DuckDB is in $dir"
}

duckdb_files() { grep -v '^#' third_party/duckdb.lock; }

duckdb_is_there() {
  local path bytes
  while read -r _ _ path bytes _; do
    [[ $(stat -c %s "$1/${path##*/}" 2>/dev/null) == "$bytes" ]] || return 1
  done < <(duckdb_files)
}

# fetch_from_npm PACKAGE@VERSION PATH-IN-PACKAGE TO SHA256
fetch_from_npm() {
  local folder tarball
  folder=$(mktemp -d "$duckdb_unpacked/npm.XXXXXX")
  tarball=$(cd "$folder" && npm pack --silent "$1" </dev/null) ||
    die "npm could not download $1; is there a network, and does npm reach its registry?"
  tar -xzOf "$folder/$tarball" "package/$2" >"$3" || die "$1 has no $2"
  rm -rf "$folder"
  echo "$4  $3" | sha256sum --check --status ||
    die "$1: $2 has not the checksum of third_party/duckdb.lock; nothing was installed"
}
