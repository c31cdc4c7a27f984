#!/usr/bin/env python3
"""Servers that stand in for those of the examples: stand_ins.py WORD...

    http=ADDRESS:PORT            a web server
    https=FILE:ADDRESS:PORT      the same over TLS, with the certificate and the key in FILE
    unix=PATH                    the same at a Unix socket
    ntp=ADDRESS:SECONDS          a time server (RFC 5905), whose clock is off by so much

It prints a line when all of them can be reached.
"""
import http.server
import os
import socket
import ssl
import struct
import sys
import threading
import time

TEXTS = {"/install.sh": "echo installed\n"}
NTP_EPOCH = 2208988800


class Documents(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        missing = self.path == "/nothing"
        text = b"" if missing else TEXTS.get(self.path, f"the document {self.path}\n").encode()
        self.send_response(404 if missing else 200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Set-Cookie", "session=1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


class UnixServer(http.server.ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "unix", 0


def serve_http(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serve_ntp(sock, offset):
    while True:
        request, peer = sock.recvfrom(512)
        now = time.time() + offset + NTP_EPOCH
        stamp = struct.pack("!II", int(now), int(now % 1 * 2 ** 32))
        # version and mode, stratum 2, precision; no delay, a little dispersion; the times
        head = struct.pack("!BBbbIII", 0x24, 2, request[2] if len(request) > 2 else 6, -20, 0, 64, 0x7f000001)
        sock.sendto(head + stamp + request[40:48] + stamp + stamp, peer)


def main(words):
    for word in words:
        kind, _, rest = word.partition("=")
        if kind == "unix":
            serve_http(UnixServer(rest, Documents))
        elif kind == "ntp":
            address, offset = rest.rsplit(":", 1)
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, 123))
            threading.Thread(target=serve_ntp, args=(sock, float(offset)), daemon=True).start()
        else:
            *pem, address, port = rest.split(":")
            server = http.server.ThreadingHTTPServer((address, int(port)), Documents)
            if kind == "https":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(pem[0])
                server.socket = context.wrap_socket(server.socket, server_side=True)
            serve_http(server)
    os.write(1, b"ready\n")
    threading.Event().wait()


main(sys.argv[1:])
