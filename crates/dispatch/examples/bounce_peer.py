# How many bounces a second others read, on the mails that `bounce_speed` reads: Python's own parser alone, and with
# flufl.bounce behind it, which finds the failed addresses for Mailman. Neither says why a mail failed.
# Run with `python3 crates/dispatch/examples/bounce_peer.py [SECONDS]`; flufl.bounce comes from PyPI.
import email
import logging
import pathlib
import statistics
import sys
import time

try:
    from flufl.bounce import all_failures
except ImportError:
    all_failures = None

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
folder = pathlib.Path(__file__).parent.parent / "tests" / "bounces"
mails = [path.read_bytes() for path in sorted(folder.iterdir())]


def parse(mail):
    """Reads the structure, and every text that a classifier would look at."""
    message = email.message_from_bytes(mail)
    for part in message.walk():
        if not part.is_multipart():
            part.get_payload(decode=True)
    return message


def rates(read):
    found = []
    for _ in range(5):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / 5:
            for mail in mails:
                read(mail)
            count += len(mails)
        found.append(count / (time.perf_counter() - start))
    return f"median of 5: {statistics.median(found):.0f} mails/s on one core"


def failures(mail):
    # It writes to stderr and raises on mails without a sender.
    try:
        return all_failures(parse(mail))
    except Exception:
        return None


print("Python's parser:  ", rates(parse))
if all_failures:
    logging.disable(logging.CRITICAL)
    raised = sum(failures(mail) is None for mail in mails)
    print("with flufl.bounce:", rates(failures), f"({raised} of {len(mails)} mails make it raise)")
else:
    print("with flufl.bounce: not installed (pip install flufl.bounce)")
