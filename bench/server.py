"""A test API: recorded Random User pages over HTTP/1.1, as fast as a socket takes them.

  GET /users?results=1000&page=7    {"results": [1,000 users], "info": ...}
  GET /probe                        {"results": [{"id": "probe", "made_ns": CLOCK_MONOTONIC}]}

The recorded users are sent again and again; the first 8 digits of each uuid are the page's number
divided by the recorded pages, so that no two pages have a user in common. Without `page` the server
counts pages itself. After page PAGES (0: no end) it answers with an empty page, or (--then hang)
not at all. With --distinct N, users come again after N pages.

usage: server.py [--pages N] [--then empty|hang] [--distinct N]

Prints its port, serves until its standard input ends, then prints a JSON object with the time of
the first request (seconds, CLOCK_MONOTONIC) and of the CPU spent after it.
"""

import argparse
import gzip
import itertools
import json
import os
import pathlib
import re
import socket
import sys
import threading
import time
import urllib.parse

RECORDED = pathlib.Path(__file__).resolve().parent.parent / "test/data/randomuser"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
EMPTY_PAGE = b'{"results":[]}'
FIRST_DIGITS = re.compile(rb'(?<="uuid":")[0-9a-f]{8}')


def read_recorded():
    """A list of users, as bytes, for each recorded page."""
    pages = []
    for path in sorted(RECORDED.glob("page-*.json.gz")):
        users = json.loads(gzip.decompress(path.read_bytes()))["results"]
        compact = (json.dumps(user, separators=(",", ":"), ensure_ascii=False) for user in users)
        pages.append([user.encode() for user in compact])
    if not pages:
        sys.exit(f"no recorded pages in {RECORDED}")
    return pages


class Pages:
    """Answers, head and body, kept apart at the places where the page's number goes."""

    def __init__(self):
        self.recorded = read_recorded()
        self.parts = {}  # (recorded page, users) -> list of bytes

    def answer(self, number, user_count):
        turn, recorded = divmod(number, len(self.recorded))
        key = recorded, user_count
        if key not in self.parts:
            self.parts[key] = self.take_apart(*key)
        return (b"%08x" % turn).join(self.parts[key])

    def take_apart(self, recorded, user_count):
        users = self.recorded[recorded][:user_count]
        body = b'{"results":[%s],"info":{"results":%d}}' % (b",".join(users), len(users))
        parts = FIRST_DIGITS.split(body)
        return [HEAD % len(body) + parts[0], *parts[1:]]


class Server:
    def __init__(self, page_count, then, distinct):
        self.pages = Pages()
        self.page_count = page_count
        self.then = then
        self.distinct = distinct
        self.numbers = itertools.count(1)
        self.first_request = None
        self.cpu_before = 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        request = b""
        with connection:
            while True:
                head, end, request = request.partition(b"\r\n\r\n")
                if not end:
                    received = connection.recv(65536)
                    if not received:
                        return
                    request = head + received
                    continue
                if not self.answer(connection, head.split(b" ", 2)[1].decode()):
                    return

    def answer(self, connection, target):
        if self.first_request is None:
            self.first_request = time.monotonic()
            self.cpu_before = time.process_time()
        if target.startswith("/probe"):
            body = b'{"results":[{"id":"probe","made_ns":%d}]}' % time.monotonic_ns()
            connection.sendall(HEAD % len(body) + body)
            return True
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
        number = int(asked["page"][0]) if "page" in asked else next(self.numbers)
        is_past_end = 0 < self.page_count < number
        if is_past_end and self.then == "hang":
            connection.recv(1)  # until the client gives up
            return False
        try:
            if is_past_end:
                connection.sendall(HEAD % len(EMPTY_PAGE) + EMPTY_PAGE)
            else:
                user_count = int(asked.get("results", ["1000"])[0])
                if self.distinct:
                    number %= self.distinct
                connection.sendall(self.pages.answer(number, user_count))
        except ConnectionError:
            return False
        return True

    def report(self):
        spent = time.process_time() - self.cpu_before if self.first_request else 0.0
        return {"first_request_s": self.first_request, "cpu_s": spent}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=0)
    parser.add_argument("--then", choices=["empty", "hang"], default="empty")
    parser.add_argument("--distinct", type=int, default=0)
    options = parser.parse_args()
    server = Server(options.pages, options.then, options.distinct)
    threading.Thread(target=server.run, daemon=True).start()
    print(server.listener.getsockname()[1], flush=True)
    sys.stdin.read()
    print(json.dumps(server.report()), flush=True)
    os._exit(0)  # threads may still wait for clients


if __name__ == "__main__":
    main()
