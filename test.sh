#!/usr/bin/env bash
# Installs what the tests need, then runs every check there is: format, lints, documents, tests.
# As root on Debian it installs; elsewhere it says what is missing and ends with 1.
set -euo pipefail
cd "$(dirname "$0")"

# command : package that brings it
needs=(
  "initdb:postgresql"
  "chromium:chromium"
  "chromedriver:chromium-driver"
  "npm:npm"
  "soffice:libreoffice-calc-nogui"
  "pdftoppm:poppler-utils"
  "openssl:openssl"
  "dkimverify:python3-dkim"
  "opendkim-testmsg:opendkim-tools"
  "postfix:postfix"
  "postgrey:postgrey"
  "dovecot:dovecot-core"
  "unshare:util-linux"
  "kill:procps"
)
found() {
  type -P "$1" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}
missing=()
for need in "${needs[@]}"; do
  found "${need%%:*}" || missing+=("${need##*:}")
done
# The signature's verifier needs it for Ed25519 and merely recommends it.
/usr/bin/python3 -c 'import nacl' 2>/dev/null || missing+=("python3-nacl")
# The command alone does not tell whether it opens letters, or tables only.
compgen -G "/usr/lib*/libreoffice/program/libswlo.so" >/dev/null || missing+=("libreoffice-writer-nogui")
[ -e /usr/lib/dovecot/imap ] || missing+=("dovecot-imapd")
[ -e /usr/lib/dovecot/lmtp ] || missing+=("dovecot-lmtpd")
compgen -G "/usr/share/fonts/truetype/*" >/dev/null || missing+=("fonts-dejavu-core")
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The tests run mail servers of their own; the system's must neither be configured nor started.
    deny=/usr/sbin/policy-rc.d
    if [ ! -e "$deny" ]; then
      printf '#!/bin/sh\nexit 101\n' >"$deny"
      chmod 755 "$deny"
      trap 'rm -f "$deny"' EXIT
    fi
    if [[ " ${missing[*]} " == *" postfix "* ]]; then
      echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    fi
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    if [ -n "$(trap -p EXIT)" ]; then
      rm -f "$deny"
      trap - EXIT
    fi
  else
    echo "missing Debian packages: ${missing[*]}" >&2
    echo "install them (as root: apt-get install ${missing[*]}) and run this again" >&2
    exit 1
  fi
fi

# Not a Debian package; its version and checksum are pinned.
tests/browser/tools.sh

step() { printf '\n== %s\n' "$*"; "$@"; }
# One command shape for everything that compiles: another selection of packages would build the heavy libraries anew.
step cargo fmt --all --check
step cargo test --locked --workspace --all-targets --no-fail-fast
step cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --workspace --no-deps --document-private-items
