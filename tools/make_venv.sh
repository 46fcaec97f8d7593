#!/bin/sh
# Make .venv with everything pinned in constraints.txt; make it anew for another interpreter or other pins.
set -eu
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"

command -v "$PYTHON" >/dev/null 2>&1 || { echo "plantgate needs $PYTHON: apt install python3" >&2; exit 2; }
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "plantgate needs Python 3.11 or later; $PYTHON is $("$PYTHON" --version 2>&1). Set PYTHON=python3.11" >&2; exit 2; }
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
    { echo "plantgate needs Python's venv: apt install python3-venv" >&2; exit 2; }

made_from="$("$PYTHON" -c 'import sys; print(sys.base_prefix, sys.version.split()[0])') $(cat pyproject.toml constraints.txt | cksum)"
[ "$(cat "$VENV/made-from" 2>/dev/null || true)" = "$made_from" ] && exit 0

echo "making $VENV with $("$PYTHON" --version) ..." >&2
rm -rf "$VENV"
"$PYTHON" -m venv "$VENV"
PIP_CONSTRAINT="$PWD/constraints.txt" "$VENV/bin/pip" install --quiet --disable-pip-version-check \
    --editable '.[dev,embedded]' >&2
printf '%s' "$made_from" > "$VENV/made-from"
