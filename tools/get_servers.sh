#!/bin/sh
# Get the real servers that the tests need into .tools/: Debian packages, unpacked; nothing is installed or
# started system-wide. What is on the machine already is used as it is.
set -eu
ROOT=.tools/root
PATH="$PWD/$ROOT/usr/sbin:$PWD/$ROOT/usr/bin:$PATH:/usr/sbin:/sbin"

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need mosquitto mosquitto
need mosquitto_sub mosquitto-clients
need promtool prometheus
[ -z "$missing" ] && exit 0

command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 ||
    { echo "the tests need these servers, and there is no apt-get to fetch them with:$missing" >&2; exit 2; }
echo "fetching for the tests:$missing ..." >&2
mkdir -p .tools/debs "$ROOT"

# The libraries that the programs load and the machine lacks come along.
depends() { apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances "$@" | grep '^[a-z0-9]' | sort -u; }
fetch() {
    packages=""
    for package in $(depends $missing); do
        status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
        case "$status" in *"ok installed"*) continue ;; esac
        case "$package" in lib*|$(echo $missing | sed 's/ /|/g')) packages="$packages $package" ;; esac
        case " $missing " in *" $package "*) packages="$packages $package" ;; esac
    done
    (cd .tools/debs && apt-get -qq download $(echo $packages | tr ' ' '\n' | sort -u))
}
fetch 2>/dev/null || { apt-get -qq update && fetch; } ||
    { echo "could not fetch:$missing (try: apt-get update; apt install$missing)" >&2; exit 2; }
for deb in .tools/debs/*.deb; do dpkg-deb -x "$deb" "$ROOT"; done
rm -rf .tools/debs
missing=""
need mosquitto mosquitto
need mosquitto_sub mosquitto-clients
need promtool prometheus
[ -z "$missing" ] || { echo "still missing after unpacking:$missing" >&2; exit 2; }
