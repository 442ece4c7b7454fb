#!/usr/bin/env python3
"""HTTP as the world does it: what goes wrong is said, waited for, and over when it is mended."""

import base64
import contextlib
import gzip
import json
import os
import re
import subprocess
import unittest
import zlib

import http_server
from http_server import good, items, serve, status
from millrace import MillraceTest, binary, by_name, wait_until

TOKEN = "tr0mbone-s3cret"
PASSWORD = "p/a s:s\"w%rd"
SCHEMA = """{"type": "object", "properties": {
  "id": {"type": "integer"}, "text": {"type": "string"}, "blob": {"type": "string"}}}"""
# items(1, 2, 3), by encodings that Python does not have.
PACKED = {
    "br": "G2EASIzUYs0Z7gQxO9LbcVIZtuzFfoWOUy6MsaUcUAe6wOUdQHBE5juuDO9JBlbEQ3pBsKVlm909",
    "zstd": "KLUv/SRivQEAosIJEbCpA4+TItmgkqJW3YMJJlcBSXIhQqjloDcqg9dA73Jeo3dCBs8rBQAACTAOIAZUhhxu"
    "HrIWSZ4=",
}
GOOD_ROWS = [{"id": i, "text": f"text {i}"} for i in (1, 2, 3)]


def redirect(code, to):
    return lambda handler: handler.reply(code, Location=to)


def html(handler):
    handler.reply(body=b"<html><body>Please log in", Content_Type="text/html; charset=utf-8")


# What a source meets at the path /NAME, the keys of its `http` beside the url, and what is said.
TROUBLES = {
    "hang": (http_server.hang, "timeout: 300ms", "no whole answer within 300ms"),
    "slow": (http_server.one_byte_a_second, "timeout: 1500ms", "no whole answer within 1500ms"),
    "cut": (http_server.cut_short, "", "5 bytes remaining"),
    "reset": (http_server.reset, "", "reset by peer"),
    "bomb": (http_server.bomb, "response_max: 8MiB", "longer than 8MiB"),
    "long": (
        lambda handler: handler.reply(body=items(*range(1000))), "response_max: 4KiB",
        "longer than 4KiB; ask for fewer items a page, or give the source a larger `response_max`",
    ),
    "headers": (http_server.endless_headers, "", "headers"),
    "bad_gzip": (
        lambda handler: handler.reply(body=items(1), Content_Encoding="gzip"), "",
        "cannot be decompressed",
    ),
    "html": (html, "", "answered text/html; charset=utf-8"),
    "not_json": (lambda handler: handler.reply(body=b'{"items": [{"id": 1}'), "", "JSON"),
    "empty": (status(200, b""), "", "JSON"),
    "loop": (redirect(301, "/loop"), "", "more than 10 redirects: → http://127.0.0.1"),
    "elsewhere": (redirect(302, "file:///etc/passwd"), "", "only http and https are followed"),
    "bad_request": (status(400), "", "answered 400 with '{\"error\": \"no\"}'"),
    "unauthorized": (status(401), "", "answered 401"),
    "forbidden": (status(403), "", "check the source's auth or headers"),
    "gone": (status(404), "", "check the source's url"),
    "other_list": (
        status(200, b'{"item": [], "meta": {}}'), "",
        "there is no 'items' in it; did you mean 'item'?; it begins {\"item\": [], \"meta\": {}}; "
        "check the source's `items` and url",
    ),
    "crash": (status(500), "", "answered 500"),
    "busy": (status(503, b""), "", "answered 503; will be tried again"),
}  # fmt: skip


def source(name, url, keys="", indent="\n      "):
    keys = "".join(indent + line for line in keys.splitlines())
    return f"""
  {name}:
    http:
      url: {url}
      every: 1h{keys}
    items: items
    schema: item.schema.json
    to: {name}
    select: SELECT id, text"""


def pipeline(sources):
    """A file with these sources, {name: (url, keys)}; each has a topic and a table."""
    text = "name: http\nsources:"
    text += "".join(source(name, url, keys) for name, (url, keys) in sources.items())
    text += "\ntopics:" + "".join(f"\n  {name}: {{key: id}}" for name in sources)
    text += "\ntables:" + "".join(
        f"\n  app.{name}: {{primary_key: id, from: SELECT * FROM \"{name}\"}}" for name in sources
    )
    return text + "\n"


class HttpTest(MillraceTest):
    def setUp(self):
        super().setUp()
        self.millrace = self.instance(
            no_proxy="127.0.0.1", TOKEN=TOKEN, PASSWORD=PASSWORD, PATH=os.environ["PATH"]
        )
        self.write("item.schema.json", SCHEMA)
        self.api = self.enterContext(serve())

    def start(self, sources):
        self.millrace.start(self.write("http.yaml", pipeline(sources))).wait_until_up()

    def once(self, sources, code=0):
        file = self.write("http.yaml", pipeline(sources))
        return self.millrace.run("up", file, "--once", code=code)

    def error_of(self, name):
        found = by_name(self.millrace.status()["sources"], name)
        return found.get("error") or ""

    def wait_for_error(self, name, text):
        wait_until(lambda: text in self.error_of(name), f"{name} says '{text}'", 20)
        return self.error_of(name)

    def rows(self, name):
        return self.millrace.rows(f"SELECT id, text FROM app.{name} ORDER BY id")

    def wait_for_rows(self, *names):
        wait_until(
            lambda: all(
                by_name(self.millrace.status()["tables"], f"app.{name}")["written"] == 3
                for name in names
            ),
            f"the rows of {names}",
        )
        for name in names:
            self.assertEqual(self.rows(name), GOOD_ROWS, name)

    def assert_no_secret_in(self, text):
        basic = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
        for secret in (TOKEN, PASSWORD, basic, json.dumps(PASSWORD)[1:-1]):
            self.assertNotIn(secret.lower(), text.lower())

    def all_output(self):
        """Everything that is printed while a pipeline runs."""
        asked = [("status",), ("status", "-o", "json"), ("dlq", "list")]
        answers = [self.millrace.run(*arguments) for arguments in asked]
        return "".join(answer.out + answer.err for answer in answers) + self.millrace.log_text()


class Troubles(HttpTest):
    def test_each_is_said_and_over_when_it_is_mended(self):
        closed = self.enterContext(serve(listening=False))
        api = self.api.url
        sources = {name: (f"{api}/{name}", keys) for name, (_, keys, _) in TROUBLES.items()}
        sources["closed"] = (f"{closed.url}/closed", "")
        sources["no_tls"] = (f"https{self.api.url[4:]}/no_tls", "")
        mute = self.enterContext(http_server.mute_port())
        full = self.enterContext(http_server.mute_port(is_full=True))
        sources["mute"] = (f"https://127.0.0.1:{mute}/mute", "connect_timeout: 300ms")
        sources["full"] = (f"http://127.0.0.1:{full}/full", "connect_timeout: 300ms")
        for name, (answer, _, _) in TROUBLES.items():
            self.api.answers["/" + name] = answer
        self.start(sources)
        said = {name: self.wait_for_error(name, text) for name, (_, _, text) in TROUBLES.items()}
        said["closed"] = self.wait_for_error("closed", "Connection refused")
        said["no_tls"] = self.wait_for_error("no_tls", "should the source's url begin with http:")
        said["mute"] = self.wait_for_error("mute", "no connection within 300ms")
        said["full"] = self.wait_for_error("full", "no connection within 300ms")
        for name, error in said.items():
            self.assertIn(f"/{name}", error)
            self.assertLess(len(error), 700, error)
        self.assertEqual([self.rows(name) for name in sources], [[]] * len(sources))

        for name in TROUBLES:
            self.api.answers["/" + name] = good
        closed.answers["/closed"] = good
        closed.listen()
        self.wait_for_rows(*TROUBLES, "closed")
        self.assert_balanced(self.millrace.status())
        self.assertEqual(by_name(self.millrace.status()["sources"], "crash").get("error", ""), "")
        self.millrace.stop()

    def test_retry_after_is_waited_for(self):
        answers = iter([status(429, Retry_After="2"), status(503, Retry_After="1"), good])
        self.api.answers["/a"] = lambda handler: next(answers)(handler)
        self.start({"a": (f"{self.api.url}/a", "")})
        self.wait_for_rows("a")
        first, second, third = (request.at for request in self.api.requests["/a"])
        self.assertGreaterEqual(second - first, 1.9)
        self.assertGreaterEqual(third - second, 0.9)
        self.millrace.stop()

    def test_waits_grow_from_failure_to_failure(self):
        self.api.answers["/a"] = status(503)
        self.start({"a": (f"{self.api.url}/a", "")})
        waits = wait_until(lambda: (found := self.waits()) and len(found) >= 5 and found, "5 waits")
        for wait, whole in zip(waits, (0.5, 1, 2, 4, 8)):
            self.assertGreaterEqual(wait, whole / 2, waits)
            self.assertLessEqual(wait, whole, waits)
        first, *_, last = (request.at for request in self.api.requests["/a"][:5])
        self.assertGreaterEqual(last - first, sum(waits[:4]))
        self.millrace.stop()

    def waits(self):
        """Seconds, of the log's lines that a request is tried again."""
        lines = self.millrace.log_text().split("\n")[:-1]
        messages = [json.loads(line)["message"] for line in lines]
        found = [re.fullmatch(r"trying again in (\d+)(m?s)", message) for message in messages]
        return [float(m[1]) / (1000 if m[2] == "ms" else 1) for m in found if m]

    def test_one_run_gives_up_with_the_reason(self):
        self.api.answers["/a"] = status(404)
        answer = self.once({"a": (f"{self.api.url}/a", "")}, code=1)
        self.assertIn("answered 404", answer.err)
        self.assertEqual(len(self.api.requests["/a"]), 1)


class Tls(HttpTest):
    def setUp(self):
        super().setUp()
        self.authority = http_server.Authority(self.folder)

    def server(self, name, subject_names="IP:127.0.0.1", days=2, **context):
        certificate = self.authority.certificate(name, subject_names, days)
        server = self.enterContext(serve(self.authority.context(certificate, **context)))
        server.answers["/" + name] = good
        return server

    def test_certificates_that_do_not_fit(self):
        servers = {
            "right": self.server("right"),
            "expired": self.server("expired", days=-1),
            "other": self.server("other", "DNS:other.example"),
            "unknown": self.server("unknown"),
            "asks": self.server("asks", ask_clients=True),
            "knows": self.server("knows", ask_clients=True),
        }
        trusted = "tls: {ca: ca.pem}"
        keys = dict.fromkeys(servers, trusted) | {
            "unknown": "",
            "knows": "tls: {ca: ca.pem, certificate: right.pem, key: right.key}",
        }
        self.start({name: (f"{server.url}/{name}", keys[name]) for name, server in servers.items()})
        self.wait_for_rows("right", "knows")
        expired = self.wait_for_error("expired", "certificate has expired")
        self.assertIn("the certificate of 127.0.0.1 is refused", expired)
        self.assertRegex(expired, r"valid from .* GMT to .* GMT\. Its owner must renew it")
        other = self.wait_for_error("other", "It is for DNS:other.example")
        self.assertIn("Check the host in the source's url", other)
        unknown = self.wait_for_error("unknown", "issued by CN = Mill Authority")
        self.assertIn("`tls: {ca: …}`", unknown)
        self.wait_for_error("asks", "`tls: {certificate: …, key: …}`")
        for name in ("expired", "other", "unknown", "asks"):
            self.assertNotIn("/" + name, servers[name].requests)  # nothing was asked of it

        for name in ("expired", "other"):
            servers[name].tls = servers["right"].tls
        servers["asks"].tls = servers["right"].tls
        self.wait_for_rows("expired", "other", "asks")
        self.millrace.stop()

    def test_the_system_may_know_the_authority(self):
        server = self.server("a")
        self.millrace.environment["SSL_CERT_FILE"] = str(self.authority.file)
        self.once({"a": (f"{server.url}/a", "")})
        self.assertEqual(self.rows("a"), GOOD_ROWS)


class Asking(HttpTest):
    def test_secrets_arrive_and_are_never_printed(self):
        auth = {
            "bearer": "auth: {bearer: '${secret:TOKEN}'}",
            "basic": "auth: {basic: {user: robot, password: '${secret:PASSWORD}'}}",
            "body": "method: POST\nbody: {q: [1, {key: '${secret:PASSWORD}'}]}\n"
            "headers: {X-Key: '${secret:TOKEN}'}",
        }
        for name in auth:
            self.api.answers["/" + name] = http_server.echo(403)
        urls = {name: f"{self.api.url}/{name}" for name in auth}
        urls["bearer"] += "?key=${secret:TOKEN}"
        self.start({name: (urls[name], keys) for name, keys in auth.items()})
        for name in auth:
            self.wait_for_error(name, "answered 403 with")
        sent = {name: self.api.requests["/" + name][0] for name in auth}
        self.assertEqual(sent["bearer"].headers["Authorization"], f"Bearer {TOKEN}")
        self.assertEqual(sent["bearer"].query, f"key={TOKEN}")
        basic = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
        self.assertEqual(sent["basic"].headers["Authorization"], f"Basic {basic}")
        self.assertEqual(sent["body"].method, "POST")
        self.assertEqual(sent["body"].headers["Content-Type"], "application/json")
        self.assertEqual(json.loads(sent["body"].body), {"q": [1, {"key": PASSWORD}]})
        self.assertEqual(sent["body"].headers["X-Key"], TOKEN)
        self.assert_no_secret_in(self.all_output())
        for name in auth:
            self.api.answers["/" + name] = http_server.echo(200)
        for name in auth:
            self.wait_for_error(name, "items")
        self.assert_no_secret_in(self.all_output())
        for name in auth:
            self.api.answers["/" + name] = good
        self.wait_for_rows(*auth)
        self.millrace.stop()
        self.assert_no_secret_in(self.all_output())

    def test_secrets_do_not_go_where_a_redirect_leads(self):
        other = self.enterContext(serve())
        names = ("bearer", "form", "moved", "kept")
        for name in names:
            self.api.answers["/" + name] = redirect(307, f"{other.url}/{name}")
            other.answers["/" + name] = good
        self.api.answers["/moved"] = redirect(302, "/after")
        self.api.answers["/kept"] = redirect(308, "/after")
        self.api.answers["/after"] = good
        self.start(
            {
                "bearer": (f"{self.api.url}/bearer", "auth: {bearer: '${secret:TOKEN}'}"),
                "form": (f"{self.api.url}/form", "method: POST\nbody: a=${secret:TOKEN}"),
                "moved": (f"{self.api.url}/moved", "method: POST\nbody: m=1"),
                "kept": (f"{self.api.url}/kept", "method: POST\nbody: k=1"),
            }
        )
        self.wait_for_rows("bearer", "moved", "kept")
        self.assertIsNone(other.requests["/bearer"][0].headers["Authorization"])
        self.wait_for_error("form", "goes to the configured server only")
        self.assertNotIn("/form", other.requests)
        after = {(request.method, request.body) for request in self.api.requests["/after"]}
        self.assertEqual(after, {("GET", b""), ("POST", b"k=1")})
        self.assert_no_secret_in(self.all_output())
        self.millrace.stop()

    def test_a_dead_letters_error_has_no_secret(self):
        self.api.answers["/a"] = status(200, json.dumps({"items": [{"id": TOKEN}]}).encode())
        self.once({"a": (f"{self.api.url}/a", "auth: {bearer: '${secret:TOKEN}'}")})
        (letter,) = self.millrace.dead_letters("a")
        self.assertIn("***", letter["error"])
        self.assertNotIn(TOKEN, letter["error"])
        self.assertIn(TOKEN, json.dumps(letter["raw"]))  # items are kept as they came

    def test_nothing_is_no_error(self):
        self.api.answers["/a"] = status(204, b"")
        self.once({"a": (f"{self.api.url}/a", "")})
        self.assertEqual(self.rows("a"), [])

    def test_answers_are_decompressed(self):
        body = items(1, 2, 3)
        packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body)}
        packed |= {name: base64.b64decode(text) for name, text in PACKED.items()}
        for name, some in packed.items():
            self.api.answers["/" + name] = status(200, some, Content_Encoding=name)
        self.once({name: (f"{self.api.url}/{name}", "") for name in packed})
        for name in packed:
            self.assertEqual(self.rows(name), GOOD_ROWS)
            accepted = self.api.requests["/" + name][0].headers["Accept-Encoding"]
            self.assertEqual(set(packed), set(accepted.split(", ")) & set(packed))


class Size(HttpTest):
    """A response of 200 MB."""

    COUNT = 2_000
    BLOB = "x" * 100_000

    def answer(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.close_connection = True
        handler.end_headers()
        with contextlib.suppress(OSError):
            for i in range(self.COUNT):
                comma = "," if i else '{"items":['
                handler.wfile.write(f'{comma}{{"id":{i},"text":"t","blob":"{self.BLOB}"}}'.encode())
            handler.wfile.write(b"]}")

    def peak_of(self, limit):
        """Runs once; the exit code, what was said, and the largest memory in MiB."""
        file = self.write("http.yaml", pipeline({"a": (f"{self.api.url}/a", limit)}))
        process = subprocess.Popen(
            [binary(), "up", file, "--once"], env=self.millrace.environment, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = process.stdout.read().decode()
        process.stdout.close()
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        return process.returncode, said, used.ru_maxrss >> 10

    def test_goes_through_under_the_limit_and_is_refused_over_it(self):
        self.api.answers["/a"] = good
        code, said, usual = self.peak_of("")
        self.assertEqual(code, 0, said)
        for answer in (self.answer, http_server.bomb):
            self.api.answers["/a"] = answer
            code, said, small = self.peak_of("response_max: 1MiB\n")
            self.assertNotEqual(code, 0)
            self.assertIn("the answer is longer than 1MiB", said)
            self.assertLess(small - usual, 30)
        self.api.answers["/a"] = self.answer
        code, said, large = self.peak_of("timeout: 60s")
        self.assertEqual(code, 0, said)
        self.assertEqual(self.millrace.rows("SELECT count(*) AS n FROM app.a"), [{"n": self.COUNT}])
        print(f"\npeak memory: {small} MiB, with a response of 200 MB {large} MiB")
        self.assertLess(large - small, 700)


if __name__ == "__main__":
    unittest.main()
