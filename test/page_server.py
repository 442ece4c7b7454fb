"""A local HTTP API with pages, for sources to read: what it answers depends on the query alone."""

import contextlib

import list_api


class _Server(list_api.Server):
    def respond(self, request):
        self.requests.append(request.query)
        answer = self.answer(request.query)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return list_api.Response(body, "application/json; charset=utf-8", status)


@contextlib.contextmanager
def serve(answer):
    """Serves `answer(query)`, bytes or (status, bytes), until the block ends.

    Yields the server: `url` is its address, `requests` the queries in order.
    """
    with list_api.serve(answer, _Server) as server:
        server.url += "/api/"
        yield server
