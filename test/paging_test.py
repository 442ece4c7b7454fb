#!/usr/bin/env python3
"""Every way of paging, and `since`: each item reaches the topic once, over runs and kills."""

import base64
import json
import signal
import threading
import unittest

import list_api
from list_api import ListApi, Response
from millrace import DEADLINE_S, MillraceTest

PIPELINE = """
name: things
sources:
  things:
    http:
      url: ${{env:API_URL}}/{path}
      every: 0ms
{keys}
    items: {items}
    schema: thing.schema.json
    to: things
    select: SELECT id, updated
topics:
  things: {{key: id}}
tables:
  shop.things: {{primary_key: id, from: SELECT * FROM things}}
"""

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "updated": {"type": "string"}},
    "required": ["id"],
}


def thing(number, updated="2026-01-01T00:00:00Z"):
    return {"id": number, "updated": updated}


class ThingsTest(MillraceTest):
    def setUp(self):
        super().setUp()
        self.api = ListApi()
        self.server = self.enterContext(list_api.serve(self.api))
        self.millrace = self.instance(API_URL=self.server.url)
        self.write("thing.schema.json", json.dumps(SCHEMA))

    def pipeline(self, path, keys, items="items"):
        keys = "".join(f"      {line}\n" for line in keys.splitlines())
        text = PIPELINE.format(path=path, keys=keys, items=items)
        return self.write("things.yaml", text.replace("    items: []\n", ""))

    def add(self, count, updated="2026-01-01T00:00:00Z"):
        first = len(self.api.items)
        self.api.items += [thing(number, updated) for number in range(first, first + count)]

    def run_once(self, file):
        """One run; the requests that it made."""
        self.server.requests.clear()
        self.millrace.up_once(file)
        return self.server.requests

    def topic(self):
        (records,) = self.millrace.records("things")
        return [record["value"] for record in records]

    def assert_all_once(self):
        self.assertEqual(self.topic(), self.api.items)
        self.assert_balanced(self.millrace.status())

    def assert_kept_nowhere(self, secret):
        for kept in self.millrace.data_dir.rglob("*"):
            if kept.is_file():
                self.assertNotIn(secret, kept.read_bytes(), kept)

    def assert_follows(self, file):
        """Whatever is added, in pages whole and begun, is there after the next run, once."""
        for count in (25, 0, 5, 10, 1, 29):
            self.add(count)
            self.run_once(file)
            self.assert_all_once()

    def assert_survives_kills(self, file):
        """As above, with a kill -9 at every request of a run in turn."""
        self.add(35)
        for at in (1, 2, 4, 6):
            self.kill_at_request(file, at)
            self.add(3)
        self.run_once(file)
        self.assert_all_once()

    def kill_at_request(self, file, at):
        reached, killed = threading.Event(), threading.Event()
        self.server.requests.clear()

        def answer(request):
            if len(self.server.requests) == at:
                reached.set()
                killed.wait(DEADLINE_S)
            return self.api(request)

        self.server.answer = answer
        self.millrace.start(file, EVERY="0ms")
        self.assertTrue(reached.wait(DEADLINE_S), self.millrace.log_text())
        self.assertEqual(self.millrace.kill(), -signal.SIGKILL)
        killed.set()
        self.server.answer = self.api


class Pages(ThingsTest):
    def check(self, path, keys, items="items"):
        with self.subTest("grows"):
            self.assert_follows(self.pipeline(path, keys, items))
        self.millrace = self.instance("killed", API_URL=self.server.url)
        self.api.items.clear()
        with self.subTest("kills"):
            self.assert_survives_kills(self.pipeline(path, keys, items))

    def test_by_number_with_a_last_page_that_fills_up(self):
        self.check("number", "page: {size: 10}")

    def test_by_number_where_the_api_gives_fewer_items_than_it_is_asked_for(self):
        self.check("number", "page: {size: 500, size_parameter: per_page}")

    def test_by_number_where_pages_past_the_end_are_not_found(self):
        def answer(request):
            response = self.api(request)
            found = json.loads(response.body)["items"] or request.query["page"] == "1"
            return response if found else Response(b"<h1>No", "text/html", status=404)

        self.server.answer = answer
        file = self.pipeline("number", "page: {size: 20}")
        for count in (7, 8, 10, 3):
            self.add(count)
            self.run_once(file)
            self.assert_all_once()

    def test_by_offset(self):
        self.check("offset?limit=7", "page: {by: offset}")

    def test_by_offset_and_size(self):
        self.check("offset", "page: {by: offset, size: 7, size_parameter: limit}")

    def test_by_cursor(self):
        self.check("cursor", "page: {by: cursor, parameter: after, from: meta.next}", "data.items")

    def test_by_cursor_in_the_body(self):
        keys = "method: POST\nbody: '{}'\n"
        keys += "page: {by: cursor, parameter: after, from: meta.next, in: body}"
        self.check("cursor", keys, "data.items")

    def test_by_address(self):
        self.millrace.environment["API_KEY"] = "hush-hush"
        self.millrace.environment["MILLRACE_SECRETS"] = str(self.folder)
        path = "address?key=${secret:API_KEY}"
        file = self.pipeline(path, "page: {by: cursor, from: next}")
        self.assert_follows(file)
        # The API repeats the key in its addresses; it goes along and is kept nowhere.
        self.assertTrue(all(r.query["key"] == "hush-hush" for r in self.server.requests))
        self.assert_kept_nowhere(b"hush-hush")

    def test_a_secret_in_the_path_of_addresses(self):
        self.millrace.environment["BOT"] = "12:hush-hush"
        self.millrace.environment["MILLRACE_SECRETS"] = str(self.folder)

        def answer(request):
            response = self.api.link(request)
            links = response.headers["Link"].replace("</link", f"<{request.path}")
            return Response(json.loads(response.body), Link=links)

        self.server.answer = answer
        self.assert_follows(self.pipeline("bot${secret:BOT}/x", "page: {by: link}", "[]"))
        self.assertTrue(all(r.path == "/bot12:hush-hush/x" for r in self.server.requests))
        self.assert_kept_nowhere(b"hush-hush")

    def test_another_server_is_read_from_its_first_page(self):
        self.millrace.environment["API_KEY"] = "hush-hush"
        self.millrace.environment["MILLRACE_SECRETS"] = str(self.folder)
        self.add(25)
        file = self.pipeline("address?key=${secret:API_KEY}", "page: {by: cursor, from: next}")
        self.run_once(file)
        self.server.requests.clear()
        other_api = ListApi()
        other_api.items = [thing(number) for number in range(100, 115)]
        other = self.enterContext(list_api.serve(other_api))
        said = self.millrace.up_once(file, API_URL=other.url).err
        self.assertIn("reading begins at the first page", said)
        self.assertEqual(self.server.requests, [])
        self.assertEqual(self.topic(), self.api.items + other_api.items)
        self.assertNotIn("begins", self.millrace.up_once(file, API_URL=other.url).err)

    def test_by_link(self):
        self.check("link", "page: {by: link}", "[]")

    def test_a_next_page_on_another_server_is_not_asked(self):
        self.add(5)
        link = '<http://other.example/link?page=2>; rel="next"'
        self.server.answer = lambda request: Response(self.api.items, Link=link)
        answer = self.millrace.run("up", self.pipeline("link", "page: {by: link}", "[]"), "--once",
                                   code=1)  # fmt: skip
        self.assertIn("http://other.example, which is another server", answer.err)

    def test_an_item_that_cannot_be_read_hides_no_page(self):
        self.add(25)
        third = b'{"id": 3,'
        self.server.answer = lambda request: Response(
            b"\xef\xbb\xbf" + self.api(request).body.replace(third, third + b'"x": "\xe9",')
        )
        file = self.pipeline("cursor", "page: {by: cursor, parameter: after, from: meta.next}",
                             "data.items")  # fmt: skip
        self.run_once(file)
        self.assertEqual(self.topic(), self.api.items[:3] + self.api.items[4:])
        (letter,) = self.millrace.dead_letters("things")
        self.assertIn("UTF-8", letter["error"])

    def test_a_next_page_is_not_looked_for_in_lines(self):
        self.server.answer = lambda request: Response(b'{"id": 1}', "application/x-ndjson")
        file = self.pipeline("cursor", "page: {by: cursor, parameter: after, from: meta.next}",
                             "data.items")  # fmt: skip
        answer = self.millrace.run("up", file, "--once", code=1)
        said = "'meta.next', which leads to the next page, is looked for in JSON"
        self.assertIn(said, answer.err)

    def test_empty_pages_in_the_middle_are_gone_through(self):
        self.api.size = 2
        self.add(9)

        def answer(request):
            response = json.loads(self.api(request).body)
            if request.query.get("after") in ("c2", "c4"):
                response["data"]["items"] = []
            return Response(response)

        self.server.answer = answer
        file = self.pipeline("cursor", "page: {by: cursor, parameter: after, from: meta.next}",
                             "data.items")  # fmt: skip
        self.run_once(file)
        self.assertEqual([item["id"] for item in self.topic()], [0, 1, 6, 7, 8])


class Since(ThingsTest):
    KEYS = "since: {column: updated, parameter: since}"

    def times(self, *texts):
        for text in texts:
            self.add(1, f"2026-01-01T00:00:{text}Z")

    def test_equal_timestamps_are_neither_lost_nor_doubled(self):
        file = self.pipeline("since", self.KEYS)
        self.times("01", "02", "02")
        self.run_once(file)
        self.times("02", "02")
        (request,) = self.run_once(file)
        self.assertEqual(request.query, {"since": "2026-01-01T00:00:02Z"})
        self.assert_all_once()
        self.times("02", "03", "04.5")
        self.run_once(file)
        (request,) = self.run_once(file)
        self.assertEqual(request.query, {"since": "2026-01-01T00:00:04.5Z"})
        self.assert_all_once()

    def test_a_changed_item_comes_again(self):
        file = self.pipeline("since", self.KEYS)
        self.times("01", "02")
        self.run_once(file)
        self.api.items[0]["updated"] = "2026-01-01T00:00:09Z"
        self.run_once(file)
        self.assertEqual([item["id"] for item in self.topic()], [0, 1, 0])
        rows = self.millrace.rows("SELECT * FROM shop.things ORDER BY id")
        self.assertEqual(rows, self.api.items)

    def test_an_api_that_answers_only_what_is_later_needs_an_overlap(self):
        file = self.pipeline("after", self.KEYS[:-1] + ", overlap: 1s}")
        for texts in (("01", "02"), ("02", "02"), (), ("03", "03"), ("03",)):
            self.times(*texts)
            self.run_once(file)
            self.assert_all_once()

    def test_pages_within_a_window(self):
        self.api.size = 4
        file = self.pipeline("since", "page: {by: offset}\n" + self.KEYS)
        for seconds in range(0, 50, 10):
            self.times(*[f"{seconds + number // 3:02}" for number in range(15)])
            self.run_once(file)
            self.assert_all_once()

    def test_a_window_ends_with_a_page_that_has_nothing(self):
        file = self.pipeline("since", "page: {by: offset}\n" + self.KEYS)
        for nothing in (Response({"items": []}), Response(b"", status=204)):
            with self.subTest(nothing.status):
                self.millrace = self.instance(str(nothing.status), API_URL=self.server.url)
                self.api.items.clear()
                self.times("01", "02", "03")

                def answer(request, nothing=nothing):
                    response = self.api(request)
                    return response if json.loads(response.body)["items"] else nothing

                self.server.answer = answer
                self.run_once(file)
                self.api.items[0]["updated"] = "2026-01-01T00:00:09Z"
                self.run_once(file)
                self.run_once(file)
                self.assertEqual([item["id"] for item in self.topic()], [0, 1, 2, 0])

    def test_pages_within_a_window_and_kills(self):
        self.api.size = 4
        file = self.pipeline("since", "page: {by: offset, size: 4}\n" + self.KEYS)
        self.times(*[f"{number // 3:02}" for number in range(30)])
        for at in (1, 2, 5, 8):
            self.kill_at_request(file, at)
            self.times(f"{9 + at}", f"{9 + at}")
        self.run_once(file)
        self.assert_all_once()

    def test_items_without_a_value_are_taken_once_and_told(self):
        file = self.pipeline("after", "since: {column: changed.at, parameter: from}")
        self.add(3)
        answer = self.millrace.up_once(file)
        self.assertIn("3 of 3 items have no number or timestamp at 'changed.at'", answer.err)
        self.add(1)
        self.run_once(file)
        self.assert_all_once()


class Answers(ThingsTest):
    """Formats, and responses that are known already."""

    def test_an_answer_that_is_known_already_is_not_taken_again(self):
        for says, asks, form in (
            ("ETag", "If-None-Match", '"{}"'),
            ("Last-Modified", "If-Modified-Since", "Sun, 06 Nov 1994 08:49:{:02} GMT"),
        ):

            def answer(request, says=says, asks=asks, form=form):
                version = form.format(len(self.api.items))
                known = request.headers.get(asks) == version
                body = b"" if known else {"items": self.api.items}
                return Response(body, status=304 if known else 200, **{says: version})

            with self.subTest(says):
                self.millrace = self.instance(says, API_URL=self.server.url)
                self.api.items.clear()
                self.server.answer = answer
                file = self.pipeline("number", "")
                for count in (5, 5, 6):
                    self.add(count - len(self.api.items))
                    self.run_once(file)
                # Without `page` or `since` a response that differs is another one, and taken whole.
                self.assertEqual([item["id"] for item in self.topic()], [*range(5), *range(6)])

    def answered(self, body, content_type, schema=None):
        if schema:
            self.write("thing.schema.json", json.dumps(schema))
        self.server.answer = lambda request: Response(body, content_type)
        return self.millrace.up_once(self.pipeline("any", "", "[]"))

    def raw_letters(self):
        """The dead letters, by the bytes of their records."""
        letters = self.millrace.dead_letters("things")
        bytes_of = {}
        for letter in letters:
            raw = letter.get("raw", "").encode() or base64.b64decode(letter["raw_base64"])
            bytes_of[raw] = letter["error"]
        self.assertEqual(len(bytes_of), len(letters))
        return bytes_of

    def test_json_lines(self):
        lines = [
            b'{"id": 1, "updated": "a"}',
            b"",
            b'{"id": 2, "upd',
            b'{"id": 3, "updated": "\xff"}',
            b'\t{"id": 4}\r',
        ]
        self.answered(b"\n".join(lines), "application/x-ndjson")
        self.assertEqual([item["id"] for item in self.topic()], [1, 4])
        self.assertEqual(set(self.raw_letters()), {lines[2], lines[3]})

    def test_csv(self):
        text = (
            b'\xef\xbb\xbfid,updated,unknown\r\n1,"a, ""b""\r\nc",x\r\n2,,\r\n3,too,many,fields\r\n'
            b'4,a "quote",x\r\nfive,a,x\r\n6,"never closed,x\r\n7,\xff,x\r\n\r\n8,"",x'
        )
        self.answered(text, "text/csv; charset=utf-8")
        wanted = [(1, 'a, "b"\r\nc'), (2, ""), (8, "")]
        self.assertEqual([(item["id"], item["updated"]) for item in self.topic()], wanted)
        letters = self.raw_letters()
        self.assertIn("4 fields instead of 3", letters[b"3,too,many,fields"])
        self.assertIn("a quote in the middle of a field", letters[b'4,a "quote",x'])
        self.assertIn("a quoted field without an end", letters[b'6,"never closed,x'])
        self.assertIn("not UTF-8", letters[b"7,\xff,x"])
        self.assertIn("id: ", letters[b'{"id":"five","updated":"a","unknown":"x"}'])
        self.assertEqual(len(letters), 5)
        self.assert_balanced(self.millrace.status())

        letters = self.millrace.dead_letters("things")
        (letter,) = [letter for letter in letters if letter.get("raw") == "3,too,many,fields"]
        self.assertIn("edit it into a JSON object", letter["error"])
        mended = self.write("mended.json", '{"id": 3, "updated": "too,many"}')
        self.millrace.run("dlq", "redrive", letter["address"], "--value", mended,
                          "--file", "things.yaml")  # fmt: skip
        self.assertEqual(self.topic()[-1], {"id": 3, "updated": "too,many"})

    def test_csv_with_quotes_everywhere(self):
        text = b'"id","updated"\n"1","2026"\n"2",""\n'
        self.answered(text, "text/csv")
        self.assertEqual(self.topic(), [{"id": 1, "updated": "2026"}, {"id": 2, "updated": ""}])

    def test_a_page_of_something_else_is_named(self):
        self.server.answer = lambda request: Response(b"\x89PNG", "image/png")
        answer = self.millrace.run("up", self.pipeline("any", "", "[]"), "--once", code=1)
        self.assertIn("the response says it is image/png; where it is JSON", answer.err)


if __name__ == "__main__":
    unittest.main()
