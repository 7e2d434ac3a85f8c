#!/bin/sh
# `.venv/bin/muensterland`, put there by `make setup`: the command line of this checkout, from any folder.
set -eu
here=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "$here/.venv/bin/python" -m muensterland "$@"
