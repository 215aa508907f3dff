"""Sends mails over one connection of Python's smtplib and prints the seconds it took. Arguments: port, mails, bytes of text."""

import smtplib
import sys
import time
from email.message import EmailMessage

port, mails, size = map(int, sys.argv[1:4])
text = "Kinh moi Quy vi tra loi phieu khao sat.\n" * (size // 40 + 1)
began = time.monotonic()
with smtplib.SMTP("127.0.0.1", port) as server:
    for number in range(mails):
        mail = EmailMessage()
        mail["From"] = "khaosat@khaosat.example"
        mail["To"] = f"p{number}@soyte.example"
        mail["Subject"] = "Khao sat"
        mail.set_content(text)
        server.send_message(mail)
print(time.monotonic() - began)
