"""A local HTTP API that misbehaves as tests ask it to, and certificates for it."""

import contextlib
import gzip
import http.server
import json
import socket
import ssl
import struct
import subprocess
import threading
import time
import types


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    tls = None

    def get_request(self):
        connection, address = super().get_request()
        if self.tls is not None:  # the handshake is made by the connection's thread
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request, client_address):
        """A client that goes away, or does not trust the certificate, is nothing to report."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; `server.answers[path]` writes the answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.request = types.SimpleNamespace(
            method=self.command, query=query, headers=self.headers, at=time.monotonic(),
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )  # fmt: skip
        self.server.requests.setdefault(path, []).append(self.request)
        self.server.answers[path](self)

    do_POST = do_GET

    def reply(self, status=200, body=b"", **headers):
        """An answer with its length; header names have _ for -."""
        self.send_response(status)
        headers.setdefault("Content_Type", "application/json")
        headers.setdefault("Content_Length", len(body))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *arguments):
        """The tests look at `requests`."""


def items(*ids):
    return json.dumps({"items": [{"id": i, "text": f"text {i}"} for i in ids]}).encode()


def good(handler):
    handler.reply(body=items(1, 2, 3))


def status(number, body=b'{"error": "no"}', **headers):
    return lambda handler: handler.reply(number, body, **headers)


def hang(handler):
    """Says nothing until the client goes away."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.recv(1)


def one_byte_a_second(handler):
    body = items(1, 2, 3)
    handler.reply(Content_Length=len(body))
    with contextlib.suppress(OSError):
        for byte in body:
            handler.wfile.write(bytes([byte]))
            time.sleep(1)  # is what is tested


def cut_short(handler):
    """Promises more than it sends."""
    body = items(1, 2, 3)
    handler.reply(body=body[:-5], Content_Length=len(body))
    handler.close_connection = True


def reset(handler):
    """Ends the connection in the middle of the body, as a crash does."""
    body = items(1, 2, 3)
    handler.reply(body=body[:-5], Content_Length=len(body))
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def bomb(handler):
    """A gigabyte in a megabyte."""
    packer = gzip.GzipFile(fileobj=(packed := _Bytes()), mode="wb", compresslevel=9)
    zeros = b" " * (1 << 20)
    for _ in range(64):
        packer.write(zeros)
    packer.close()
    # Members of a gzip file may follow each other.
    handler.reply(body=bytes(packed.all) * 16, Content_Encoding="gzip")


class _Bytes:
    def __init__(self):
        self.all = bytearray()

    def write(self, some):
        self.all += some
        return len(some)

    def flush(self):
        """Nothing is held back."""


def endless_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(b"X-Padding: " + b"x" * 10_000 + b"\r\n")
            handler.wfile.flush()


def echo(number):
    """Answers with all that it was sent."""

    def answer(handler):
        asked = handler.request
        text = f"{asked.headers} {asked.query} {asked.body.decode()}"
        handler.reply(number, json.dumps({"error": text}).encode())

    return answer


@contextlib.contextmanager
def mute_port(is_full=False):
    """A port whose server never says a word; where it is full, not even that it is connected."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3 if is_full else 0):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


@contextlib.contextmanager
def serve(tls=None, listening=True):
    """Yields a server of `answers`, functions by path, and the `requests` that came, by path."""
    server = _Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.server_bind()
    server.tls = tls
    server.answers, server.requests = {}, {}
    scheme = "https" if tls else "http"
    server.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    server.listen = lambda: (server.server_activate(), thread.start())
    if listening:
        server.listen()
    try:
        yield server
    finally:
        if thread.is_alive():
            server.shutdown()
            thread.join()
        server.server_close()


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Mill Authority",
        )  # fmt: skip

    def certificate(self, name, subject_names, days=2):
        """The file of a new certificate and its key; negative days: it has expired."""
        self._openssl(
            "req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={subject_names}",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-copy_extensions", "copy", "-days", str(days),
            "-out", f"{name}.crt",
        )  # fmt: skip
        both = self.folder / f"{name}.pem"
        both.write_bytes(
            b"".join((self.folder / f"{name}.{end}").read_bytes() for end in ("crt", "key"))
        )
        return both

    def context(self, certificate, ask_clients=False):
        """For a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if ask_clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
