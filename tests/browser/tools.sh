#!/usr/bin/env bash
# Brings axe-core, which the browser tests hold every page against, into target/browser-tools.
# Version and checksum are pinned in tests/browser/tools/package-lock.json; nothing is fetched where they are there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=target/browser-tools
pinned=tests/browser/tools/package-lock.json
if [ -s "$tools/node_modules/axe-core/axe.min.js" ] && cmp -s "$pinned" "$tools/package-lock.json"; then
  exit 0
fi
command -v npm >/dev/null || { echo "npm is missing (Debian: apt-get install npm)" >&2; exit 1; }
rm -rf "$tools"
mkdir -p "$tools"
cp tests/browser/tools/package.json "$tools/"
cp "$pinned" "$tools/package-lock.json"
npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$tools" || {
  # A half-made folder would pass for a whole one the next time.
  rm -rf "$tools"
  echo "axe-core could not be fetched: see what npm said above, and run tests/browser/tools.sh again" >&2
  exit 1
}
