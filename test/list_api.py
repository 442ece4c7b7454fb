"""A local HTTP API over a list of items, asked for page by page in every way there is."""

import contextlib
import http.server
import json
import threading
import urllib.parse


class Request:
    def __init__(self, path, headers, body):
        parts = urllib.parse.urlsplit(path)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.headers = headers
        self.body = body


class Response:
    def __init__(self, body, content_type="application/json", status=200, **headers):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.headers = {"Content-Type": content_type, "Content-Length": str(len(self.body))}
        self.headers |= headers


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def respond(self, request):
        self.requests.append(request)
        return self.answer(request)

    def handle_error(self, request, client_address):
        """A client that was killed is nothing to report."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one write

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        response = self.server.respond(Request(self.path, self.headers, body))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(response.body)

    do_POST = do_GET

    def log_message(self, *arguments):
        """The tests look at `requests`."""


@contextlib.contextmanager
def serve(answer, server_class=Server):
    """Serves `answer(Request)`, a Response, until the block ends.

    Yields the server: `url` is its address without a path, `requests` what came, in order.
    """
    server = server_class(("127.0.0.1", 0), _Handler)
    server.answer = answer
    server.requests = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ListApi:
    """Answers from `items`, which grows at its end. The path says how pages are told apart."""

    def __init__(self, size=10):
        self.items = []
        self.size = size

    def __call__(self, request):
        return getattr(self, request.path.strip("/"))(request)

    def slice(self, begin):
        return self.items[begin : begin + self.size]

    def number(self, request):
        return Response({"items": self.slice((int(request.query["page"]) - 1) * self.size)})

    def offset(self, request):
        begin, limit = int(request.query["offset"]), int(request.query["limit"])
        return Response({"items": self.items[begin : begin + limit]})

    def cursor(self, request):
        """In the address, or in the body of a POST."""
        parameters = request.query | (json.loads(request.body) if request.body else {})
        begin = int(parameters.get("after", "c0")[1:])
        end = begin + self.size
        more = f"c{end}" if end < len(self.items) else None
        return Response({"data": {"items": self.slice(begin)}, "meta": {"next": more}})

    def address(self, request):
        begin = int(request.query.get("from", 0))
        end = begin + self.size
        more = f"?key={request.query['key']}&from={end}" if end < len(self.items) else ""
        return Response({"items": self.slice(begin), "next": more})

    def link(self, request):
        page = int(request.query.get("page", 1))
        links = [f'</link?page={page - 1}>; rel="prev"'] if page > 1 else []
        if page * self.size < len(self.items):
            links.append(f'</link?page={page + 1}>; title="a, b"; rel="next"')
        return Response(self.slice((page - 1) * self.size), Link=", ".join(links))

    def since(self, request):
        """Items changed at or after a time, in the order of their changes."""
        since = request.query.get("since", "")
        found = sorted(
            (item for item in self.items if item["updated"] >= since),
            key=lambda item: item["updated"],
        )
        begin = int(request.query.get("offset", 0))
        return Response({"items": found[begin : begin + self.size]})

    def after(self, request):
        """Items changed after a time, all at once."""
        since = request.query.get("since", "")
        return Response({"items": [item for item in self.items if item["updated"] > since]})
