#!/usr/bin/env bash
# Brings what the bench compares with into target/bench-tools: Postfix's smtp-source and smtp-sink, without starting or
# installing Postfix, and nodemailer.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=target/bench-tools
mkdir -p "$tools/node"
if ! [ -x /usr/sbin/smtp-sink ] && ! [ -x "$tools/usr/sbin/smtp-sink" ]; then
  (cd "$tools" && apt-get download postfix && dpkg -x postfix_*.deb . && rm postfix_*.deb)
fi
[ -d "$tools/node/node_modules/nodemailer" ] || npm install --silent --no-audit --no-fund --prefix "$tools/node" nodemailer
for tool in node python3 /usr/bin/time; do
  command -v "$tool" >/dev/null || { echo "$tool is missing (Debian: nodejs, python3, time)" >&2; exit 1; }
done
