#!/usr/bin/env bash
# The only door. Sets up an environment if this machine has none that satisfies the lock, then does what was asked:
#   ./run_all.sh                      the report on ml-100k          ./run_all.sh --dataset ml-1m | --data DIR
#   ./run_all.sh --only 05 | --from 05 | --force | --jobs N | --list | --dry-run | -p name=value
#   ./run_all.sh test | lab | sync | readme | doctor | lock
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" JUPYTER_PREFER_ENV_PATH=1 PYTHONHASHSEED=0

say() { printf '%s\n' "$*" >&2; }

find_python() {
  for name in python3.12 python3.11 python3.13 python3 python; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
      command -v "$name"; return
    fi
  done
  say "Error: no Python 3.11, 3.12 or 3.13 with venv found. Install one (Debian: apt-get install python3 python3-venv), then run this again."
  exit 2
}

lock_stamp() { cat requirements.lock pyproject.toml | cksum; }

set_up() {
  local python started=$SECONDS
  python=$(find_python)
  say "Setting up .venv with $("$python" --version): about two minutes, 2 GB, once."
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  say "  1/3 torch";              .venv/bin/pip install --quiet --disable-pip-version-check "$(grep '^torch==' requirements.lock)"
  say "  2/3 everything else";    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
  say "  3/3 this project";       .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  lock_stamp > .venv/lock-stamp
  say "Ready after $((SECONDS - started)) s."
}

# An active environment that satisfies the lock comes first, then .venv, which is made or mended when need be.
choose_python() {
  if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ "${VIRTUAL_ENV:-}" != "$PWD/.venv" ]; then
    if python -m aicine_utils.pipeline.doctor --satisfied 2>/dev/null; then PYTHON=python; return; fi
    say "The active environment does not satisfy requirements.lock; using .venv instead."
  fi
  [ "$(cat .venv/lock-stamp 2>/dev/null)" = "$(lock_stamp)" ] || set_up
  PYTHON=.venv/bin/python
  export PATH="$PWD/.venv/bin:$PATH"
}

case "${1:-}" in
  doctor)
    if [ -x .venv/bin/python ]; then exec .venv/bin/python -m aicine_utils.pipeline.doctor; fi
    exec "$(find_python)" -m aicine_utils.pipeline.doctor ;;
  -h | --help)
    sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "" | -* | test | lab | sync | readme | lock) ;;
  *)
    say "Error: $1 is no command. There are test, lab, sync, readme, doctor and lock; ./run_all.sh --help shows them all."
    exit 2 ;;
esac

choose_python
case "${1:-}" in
  test)  shift; exec "$PYTHON" -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov "$@" ;;
  lab)   shift; exec "$PYTHON" -m jupyter lab --notebook-dir=. "$@" ;;
  sync)  shift; exec "$PYTHON" -m aicine_utils sync "$@" ;;
  readme) shift; exec "$PYTHON" -m aicine_utils readme "$@" ;;
  lock)  { echo "# Exact versions for Python 3.11 to 3.13. Made by: ./run_all.sh lock"
           "$PYTHON" -m uv pip compile --quiet --universal --python-version 3.11 --extra pipeline --extra dev \
             --no-header --no-annotate pyproject.toml; } > requirements.new
         mv requirements.new requirements.lock ;;
  *)     exec "$PYTHON" -m aicine_utils run "$@" ;;
esac
