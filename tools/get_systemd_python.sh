#!/bin/sh
# Put systemd-python where PYTHON finds it: `get_systemd_python.sh FOLDER [PYTHON]`. Debian's own build is taken
# where it fits the interpreter; else it is built against libsystemd's headers, which may be unpacked for that.
# Nothing is installed system-wide. The version is the one pyproject.toml names.
set -eu
FOLDER="${1:?usage: get_systemd_python.sh FOLDER [PYTHON]}"
PYTHON="${2:-.venv/bin/python}"
VERSION=$(sed -n "s/.*systemd-python==\([0-9]*\).*/\1/p" "$(dirname "$0")/../pyproject.toml")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

loads() { PYTHONPATH="$1" "$PYTHON" -c 'from systemd import daemon, journal' 2>/dev/null; }
put() { mkdir -p "$FOLDER" && rm -rf "$FOLDER/systemd" && cp -R "$1/systemd" "$FOLDER/" && loads "$FOLDER"; }
unpack() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    (cd "$WORK" && { apt-get -qq download "$@" || { apt-get -qq update && apt-get -qq download "$@"; }; }) \
        >/dev/null 2>&1 || return 1
    for deb in "$WORK"/*.deb; do dpkg-deb -x "$deb" "$WORK/root" && rm "$deb"; done
}

loads "$FOLDER" && exit 0
echo "fetching systemd-python for $("$PYTHON" --version) ..." >&2

for built in /usr/lib/python3/dist-packages "$WORK/root/usr/lib/python3/dist-packages"; do
    [ -d "$built/systemd" ] || unpack python3-systemd || continue
    loads "$built" && put "$built" && exit 0
done

command -v "${CC:-cc}" >/dev/null && command -v pkg-config >/dev/null ||
    { echo "systemd-python is missing: apt install python3-systemd for the system's Python, else gcc pkg-config libsystemd-dev" >&2; exit 2; }
if ! pkg-config --exists libsystemd; then
    unpack libsystemd-dev libsystemd0 || { echo "systemd-python needs headers: apt install libsystemd-dev" >&2; exit 2; }
    LIBRARY=$(dirname "$(find "$WORK/root" -name libsystemd.so)")
    cp "$WORK"/root/lib/*/libsystemd.so.* "$LIBRARY/" 2>/dev/null || true
    PKG_CONFIG_PATH="$LIBRARY/pkgconfig" CFLAGS="-I$WORK/root/usr/include" LDFLAGS="-L$LIBRARY"
    export PKG_CONFIG_PATH CFLAGS LDFLAGS
fi
"$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --target "$WORK/built" \
    "systemd-python==$VERSION" >&2 && put "$WORK/built" && exit 0
echo "systemd-python $VERSION could not be built for $("$PYTHON" --version); the lines above say why" >&2
exit 2
