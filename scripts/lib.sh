# What the shell scripts share: places, messages, system packages. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
venv=${ONCILLA_VENV:-$root/.venv}

# Caches lie under build/, so that nothing depends on HOME. A value from outside wins.
export CCACHE_DIR=${CCACHE_DIR:-$build/cache/ccache}
# The language of messages makes no other object; the others let ccache keep what was compiled with precompiled headers.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-locale,pch_defines,time_macros}
export POCL_CACHE_DIR=${POCL_CACHE_DIR:-$build/cache/pocl}
export ONCILLA_CACHE_DIR=${ONCILLA_CACHE_DIR:-$build/cache/oncilla}
export MPLCONFIGDIR=${MPLCONFIGDIR:-$build/cache/matplotlib}
export PYTHONNOUSERSITE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# ccache and pocl make their own last folder only.
mkdir -p "$build/cache" "$POCL_CACHE_DIR"

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# step TEXT COMMAND...: one line of progress; the output goes to build/logs/<step>.log and is shown only if the command fails.
step() {
  local text=$1 log
  shift
  log=$build/logs/$(tr -cs 'a-z0-9' '-' <<<"${text,,}" | sed 's/-*$//').log
  mkdir -p "${log%/*}"
  printf '==> %s … ' "$text"
  local begin=$SECONDS
  if "$@" >"$log" 2>&1 </dev/null; then
    printf 'done (%d s)\n' $((SECONDS - begin))
  else
    printf 'FAILED (%d s)\n' $((SECONDS - begin))
    tail -n 40 "$log" >&2
    die "\"$text\" failed; the whole output is in ${log#"$root"/}"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    command -v sudo >/dev/null || die "installing packages needs root or sudo; run as root: $*"
    sudo DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

apt_install() { as_root apt-get update -q && as_root apt-get install -q -y --no-install-recommends "$@"; }

# packages NAME...: installs the Debian packages that lack, after listing them. Where there is no apt, it says what is needed and goes on.
packages() {
  local missing=() name
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is not Debian: please see to it that these, or their likes, are installed: $*"
    return
  fi
  for name in "$@"; do installed "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  # One at a time: apt does not wait for itself, and tests run side by side. Another one may have brought them meanwhile.
  local lock
  exec {lock}>"$build/apt.lock"
  flock "$lock"
  missing=()
  for name in "$@"; do installed "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || { exec {lock}>&-; return 0; }
  say "Debian packages to install: ${missing[*]}"
  if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
    sudo -v || die "sudo was refused; install these packages and run this again: ${missing[*]}"
  fi
  step "Installing Debian packages" apt_install "${missing[@]}"
  exec {lock}>&-
}
