#!/usr/bin/env python3
"""Runs each line of webget_oneliners.txt by curl and by webget, and compares what came of it.

Usage: webget_oneliners.py IPCBOX LINES [WORD...]
With WORDs, only the lines in which one of them stands; what differs is shown in full.
"""
import gzip
import hashlib
import http.server
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading

TOOL = "".join(f"line {number}\n" for number in range(300)).encode()
OLD = "Sat, 01 Jan 2005 00:00:00 GMT"
FIXTURES = {
    "body": b"first line\r\nsecond line\n",
    "format": b"%{http_code} from a file\\n",
    "fields": b"X-One: 1\nX-Two: 2\n",
    "netrc": b"machine 127.0.0.1 login bob password builder\n",
    "jar": b"# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkept\tyes\n",
    "part": TOOL[:1000],
    "config": b"# options\nurl = \"{U}/echo\"\nheader = \"X-Config: a b\"\nuser-agent: configured\n-s\n",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", fields=()):
        self.send_response_only(status)
        for name, value in fields:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def body(self):
        if "100-continue" in self.headers.get("Expect", ""):
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding") == "chunked":
            text = b""
            while size := int(self.rfile.readline(), 16):
                text += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return text
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def echo(self, body):
        """The request, without what may differ: our name, and random numbers."""
        lines = [self.requestline]
        for name, value in sorted(self.headers.items(), key=lambda item: item[0].lower()):
            if name in ("User-Agent", "Expect") and re.match("curl/|ipcbox|100", value):
                continue
            lines.append(f"{name}: {value}")
        text = "\n".join(lines).encode() + b"\n\n" + body + b"\n"
        boundary = re.search(rb"boundary=(\S+)", text)
        return text.replace(boundary[1], b"BOUNDARY") if boundary else text

    def tool(self):
        span = re.match(r"bytes=(\d*)-(\d*)$", self.headers.get("Range", ""))
        fields = [("Last-Modified", OLD), ("ETag", '"tool"'), ("Accept-Ranges", "bytes")]
        if not span:
            return self.answer(200, TOOL, fields)
        first, last = span.groups()
        begin = int(first) if first else len(TOOL) - int(last)
        end = int(last) + 1 if first and last else len(TOOL)
        if begin >= len(TOOL):
            return self.answer(416, b"", [("Content-Range", f"bytes */{len(TOOL)}")])
        fields.append(("Content-Range", f"bytes {begin}-{end - 1}/{len(TOOL)}"))
        return self.answer(206, TOOL[begin:end], fields)

    def digest(self):
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', self.headers.get("Authorization", "")))
        if "response" not in given:
            offer = 'Digest realm="here", qop="auth", nonce="n0nce", algorithm=MD5, opaque="o"'
            return self.answer(401, b"who?\n", [("WWW-Authenticate", offer)])

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()

        right = md5(":".join([md5("user:here:secret"), "n0nce", given["nc"], given["cnonce"],
                              "auth", md5(f"{self.command}:{self.path}")]))
        known = given["response"] == right and given["opaque"] == "o"
        return self.answer(200 if known else 403, b"welcome\n" if known else b"no\n")

    def serve(self):
        body = self.body()
        path = self.path.split("?")[0]
        text = [("Content-Type", "text/plain")]
        if path.startswith("/moved/"):
            self.answer(302, b"it moved\n", [("Location", path[len("/moved"):])])
        elif path == "/loop":
            self.answer(302, b"", [("Location", "/loop")])
        elif path == "/ok":
            self.answer(200, b"ok\n", text)
        elif path == "/json":
            self.answer(200, b'{"a":1}\n', [("Content-Type", "application/json")])
        elif path == "/install.sh":
            self.answer(200, b"#!/bin/sh\necho installed\n", text)
        elif path == "/tool":
            self.tool()
        elif path == "/missing":
            self.answer(404, b"no such page\n", text)
        elif path == "/empty":
            self.answer(200)
        elif path in ("/n1", "/n2", "/n3"):
            self.answer(200, path.encode() + b"\n")
        elif path == "/gzip" and "gzip" in self.headers.get("Accept-Encoding", ""):
            self.answer(200, gzip.compress(b"unpacked\n", mtime=0), [("Content-Encoding", "gzip")])
        elif path == "/dated":
            unchanged = self.headers.get("If-Modified-Since", "") > "T" or \
                "2037" in self.headers.get("If-Modified-Since", "")
            self.answer(304 if unchanged else 200, b"dated\n", [("Last-Modified", OLD)])
        elif path == "/chunked":
            self.send_response_only(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\none\r\n4\r\ntwo\n\r\n0\r\n\r\n")
        elif path == "/login":
            self.answer(302, b"", [("Location", "/echo"), ("Set-Cookie", "session=1; Path=/"),
                                   ("Set-Cookie", "kept=2; Max-Age=100000000; HttpOnly")])
        elif path == "/setcookie":
            self.answer(200, b"", [("Set-Cookie", "a=1; Path=/x"), ("Set-Cookie", "b=2; Secure")])
        elif path == "/digest":
            self.digest()
        else:
            self.answer(200, self.echo(body), text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, request, client_address):
        """A client that goes is none of our business."""


def normal(data):
    """What a cookie file says beside its cookies is everybody's own, and so is the second of now."""
    if b"Netscape" in data:
        data = re.sub(rb"(?m)^# .*\n\n?", b"", data)
        data = b"".join(sorted(data.splitlines(keepends=True)))  # in any order
    return re.sub(rb"\t2\d{9}\t|\t1[89]\d{8}\t", b"\tLATER\t", data)


def run(program, arguments, port):
    with tempfile.TemporaryDirectory() as directory:
        for name, data in FIXTURES.items():
            with open(os.path.join(directory, name), "wb") as file:
                file.write(data.replace(b"{U}", f"http://127.0.0.1:{port}".encode()))
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "LC_ALL": "C"}
        try:
            done = subprocess.run([program, *arguments], cwd=directory, env=environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        except subprocess.TimeoutExpired:
            return {"status": "hangs", "out": b"", "err": b"", "files": {}}
        files = {}
        for place, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    files[os.path.relpath(path, directory)] = normal(file.read())
        return {"status": done.returncode, "out": normal(done.stdout), "err": done.stderr,
                "files": files}


def complaint(verdict, curl, webget):
    """Why WEBGET's result is not as the verdict says; empty when it is."""
    status = webget["status"]
    if not isinstance(status, int) or status < 0 or status >= 128:
        return f"ends with {status}"
    if verdict == "refused":
        lines = [line for line in webget["err"].splitlines() if not line.startswith(b"[")]
        if status == 0 or len(lines) != 1 or webget["out"]:
            return f"is not refused by one line: {status} {webget['err']!r} {webget['out']!r}"
        return ""
    if verdict == "other":
        return ""
    for part in ("status", "out", "files"):
        if curl[part] != webget[part]:
            return f"{part}: curl {curl[part]!r}, webget {webget[part]!r} ({webget['err']!r})"
    return ""


def unknown_options(webget):
    """The options of curl's that webget neither has nor refuses by name."""
    text = subprocess.run(["curl", "--help", "all"], capture_output=True, check=True).stdout
    for line in text.decode().splitlines():
        for name in re.findall(r"^ *(-\S)?,? *(--[\w.-]+)", line)[:1]:
            for option in filter(None, name):
                if option in ("-h", "-M", "-V"):
                    continue
                done = subprocess.run([webget, option], capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=30)
                if b"unknown option" in done.stderr:
                    yield option


def main():
    ipcbox, lines, *words = sys.argv[1:]
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    count = wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        webget = os.path.join(directory, "webget")
        os.symlink(os.path.abspath(ipcbox), webget)
        for option in [] if words else unknown_options(webget):
            wrong += 1
            print(f"{option} is an option of curl's, and is neither known nor refused by name")
        with open(lines, encoding="utf-8") as file:
            for line in file:
                if line.startswith("#") or (words and not any(word in line for word in words)):
                    continue
                verdict, text = line.rstrip("\n").split("\t")
                for mark, value in (("{U}", f"http://127.0.0.1:{port}"),
                                    ("{H}", f"127.0.0.1:{port}"), ("{P}", str(port))):
                    text = text.replace(mark, value)
                arguments = shlex.split(text)
                count += 1
                curl = run("curl", arguments, port) if verdict == "same" else None
                problem = complaint(verdict, curl, run(webget, arguments, port))
                if problem:
                    wrong += 1
                    print(f"{line.rstrip()}\n    {problem}")
    print(f"{count} lines, {wrong} of them not as they should be")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
