# Says "pass" or "fail" for each mail: NAME RECORD FILE...; the record is what DNS would answer to the name.
import sys

import dkim
import nacl  # noqa: F401  without it dkimpy fails every Ed25519 signature instead of saying so

name, record, files = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]


def dns(asked, timeout=5):
    return record if asked.rstrip(b".") == name.rstrip(b".") else None


for file in files:
    with open(file, "rb") as mail:
        message = mail.read()
    try:
        verdict = dkim.DKIM(message).verify(dnsfunc=dns)
    except dkim.DKIMException as error:
        print(file, error, file=sys.stderr)
        verdict = False
    print("pass" if verdict else "fail")
