"""A local HTTP API with pages, for sources to read."""

import contextlib
import http.server
import threading
import urllib.parse


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that was killed is nothing to report."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one write

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.server.requests.append(query)
        answer = self.server.answer(query)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """The tests look at `requests`."""


@contextlib.contextmanager
def serve(answer):
    """Serves `answer(query)`, bytes or (status, bytes), until the block ends.

    Yields the server: `url` is its address, `requests` the queries in order.
    """
    server = _Server(("127.0.0.1", 0), _Handler)
    server.answer = answer
    server.requests = []
    server.url = f"http://127.0.0.1:{server.server_port}/api/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
