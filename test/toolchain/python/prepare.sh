#!/usr/bin/env bash
# Prints the folder of programs of a Python environment with what requirements.txt names; makes it if there is none yet.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${TOOLCHAIN_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/etcd-warden-toolchain}

main() {
  require_python
  mkdir -p "$bin"
  take_lock
  local stamp environment
  stamp=$({ python3 --version && cat "$here/requirements.txt"; } | sha256sum | cut -c1-16)
  environment=$bin/python-$stamp
  if [ ! -e "$environment/complete" ]; then
    rm -rf "$bin"/python-*
    python3 -m venv "$environment" >&2
    "$environment/bin/pip" install --quiet --requirement "$here/requirements.txt" >&2 ||
      fail "pip could not install what requirements.txt names"
    touch "$environment/complete"
  fi
  echo "$environment/bin"
}

fail() {
  echo "test/toolchain/python/prepare.sh: $*" >&2
  exit 1
}

# Debian ships venv and pip as packages of their own.
require_python() {
  command -v python3 >/dev/null || fail "docs/format.md is proved with Python's AWS Encryption SDK, and there is no 'python3' in PATH: install Python 3.10 or newer"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "Python 3.10 or newer is needed, found $(python3 --version)"
  python3 -c 'import ensurepip, venv' 2>/dev/null || fail "Python's modules venv and ensurepip are missing: on Debian, install python3-venv"
}

# Two that make the same environment at once would spoil it; the second one waits and then finds it made.
take_lock() {
  exec 9>"$bin/.python-lock"
  flock --timeout 600 9 || fail "another run did not finish the environment within 10 minutes"
}

main "$@"
