# What the scripts here share. A network is a directory below $machines; see README.md.
# shellcheck shell=bash

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# Disks are files here: a file system with room and speed, not memory.
machines=${KPKI_MACHINES:-/var/tmp/kpki-machines}
components=${KPKI_COMPONENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/kpki/components}
readonly here machines components

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

# Waits for a condition, a command, up to so many seconds.
wait_for() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < limit)) || return 1
    sleep 0.02
  done
}

# The process id, as this machine sees it, of the network in a directory.
network_pid() {
  cat "$1/pid" 2>/dev/null || fail "no network runs in $1" "start one with tests/machine/network $1"
}

# The network's own processes (and with them every machine in it) hold this lock as long as they live.
is_running() { [[ -e $1/lock ]] && ! flock --nonblock "$1/lock" true; }

# Removes a machine's cgroups once its processes are gone.
remove_cgroups() {
  local directory
  [[ -e $1 ]] || return 0
  while read -r directory; do
    wait_for 10 remove_cgroup "$directory" ||
      fail "the cgroup $directory cannot be removed" "processes in it: $(tr '\n' ' ' <"$directory/cgroup.procs")"
  done <"$1"
  rm -f "$1"
}

remove_cgroup() {
  [[ -d $1 ]] || return 0
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [[ ! -d $1 ]]
}

# Everything that a network, running or not, left on this machine: it is ended first.
remove_network() {
  local directory=$1 list pid
  [[ -d $directory ]] || return 0
  if is_running "$directory" && pid=$(cat "$directory/pid" 2>/dev/null); then
    kill -KILL "$pid" 2>/dev/null || true
    # Until the last process of every machine is gone.
    wait_for 30 not_running "$directory" || fail "the network in $directory does not end" "see what runs in it"
  fi
  for list in "$directory"/*/cgroups; do
    remove_cgroups "$list"
  done
  # The lock last: without it nobody would look here again. A `boot` that was not killed with the others may still be
  # putting its own things away.
  wait_for 10 empty "$directory" || fail "$directory cannot be emptied" "see what is in it"
  rm -rf "$directory"
}

empty() {
  find "$1" -xdev -mindepth 1 ! -path "$1/lock" -delete 2>/dev/null
  [[ -z $(find "$1" -xdev -mindepth 1 ! -path "$1/lock") ]]
}

not_running() { ! is_running "$1"; }
