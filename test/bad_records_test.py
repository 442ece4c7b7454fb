#!/usr/bin/env python3
"""One page of everything that can be wrong with a record: each is a dead letter that says what is
wrong, and its good neighbours are written."""

import base64
import json
import unittest

import list_api
from millrace import MillraceTest, by_name

PIPELINE = """
name: readings
sources:
  meters:
    http:
      url: ${env:API_URL}
      page: {}
    items: readings
    schema: reading.schema.json
    to: readings
    select: |
      SELECT id, name, strict, open, tiny, big, exact, ratio, moment, day, inside.level AS level,
             tags
topics:
  readings: {key: id}
tables:
  town.readings: {primary_key: id, from: SELECT * FROM readings}
"""

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "strict": {"type": "string"},
        "tiny": {"type": "integer", "format": "int8"},
        "big": {"type": "integer"},
        "exact": {"type": "number", "multipleOf": 0.01},
        "ratio": {"type": "number"},
        "moment": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "inside": {
            "type": "object",
            "properties": {"level": {"type": "integer"}},
            "required": ["level"],
        },
        "tags": {"type": "array", "items": {"type": "string"}},
        "open": {"type": "boolean"},
    },
    "required": ["id"],
}

# What is wrong with a record, and the words that have to be in its dead letter.
BAD = [
    # Types.
    (b'{"id": "1"}', "id: expected BIGINT, got a string"),
    (b'{"id": 1.5}', "id: "),
    (b'{"id": true}', "id: "),
    (b'{"id": 1, "name": 5}', "name: expected a string"),
    (b'{"id": 1, "name": {"first": "A"}}', "name: expected a string"),
    (b'{"id": 1, "open": "yes"}', "open: "),
    (b'{"id": 1, "open": 1}', "open: "),
    (b'{"id": 1, "tags": "a"}', "tags"),
    (b'{"id": 1, "tags": ["a", 1]}', "tags"),
    (b'{"id": 1, "inside": [1]}', "inside"),
    (b'{"id": 1, "inside": {"level": "x"}}', "inside.level"),
    (b'{"id": 1, "moment": "yesterday"}', "moment: "),
    (b'{"id": 1, "moment": 5}', "moment: "),
    (b'{"id": 1, "day": "2026-02-30"}', "day: "),
    # Missing, and null where none may be.
    (b"{}", "id: required, but missing"),
    (b'{"name": "a"}', "id: required, but missing"),
    (b'{"id": 1, "inside": {}}', "inside.level: required, but missing"),
    (b'{"id": null}', "id: "),
    (b'{"id": 1, "strict": null}', "strict: expected a string, got null"),
    # Numbers beyond every type.
    (b'{"id": 1, "tiny": 128}', "tiny: "),
    (b'{"id": 1, "tiny": -129}', "tiny: "),
    (b'{"id": 1, "big": 9223372036854775808}', "big: "),
    (b'{"id": 1, "big": ' + b"9" * 400 + b"}", "big: "),
    (b'{"id": 1, "exact": 0.001}', "exact: "),
    (b'{"id": 1, "exact": 1e40}', "exact: "),
    (b'{"id": 1, "ratio": 1e999}', "ratio: "),
    (b'{"id": 1, "ratio": NaN}', "NaN"),
    (b'{"id": 1, "big": 01}', "01"),
    # Text that is none.
    (b'{"id": 1, "name": "\xff\xfe"}', "UTF-8"),
    (b'{"id": 1, "name": "\xc3"}', "UTF-8"),
    (b'{"id": 1, "name": "\xed\xa0\x80"}', "UTF-8"),
    (b'{"id": 1, "name": "\\ud800"}', "bad JSON"),
    (b'{"id": 1, "name": "\\x41"}', "bad JSON"),
    (b'{"id": 1, "name": "a\nb"}', "bad JSON"),
    # Form.
    (b'{"id": 1 "name": "a"}', "bad JSON"),
    (b'{"id": 1,}', "bad JSON"),
    (b'{"id": 1, "name"}', "bad JSON"),
    (b'{"id": tru}', "tru"),
    (b"7", "expected an object, got 7"),
    (b"null", "expected an object, got null"),
    (b'"text"', "expected an object"),
    (b"[]", "expected an object"),
    # Depth: 64 levels are the limit, in what is read and in what is passed over.
    (b'{"id": 1, "unknown": ' + b"[" * 65 + b"]" * 65 + b"}", "64"),
    (b'{"id": 1, "unknown": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "64"),
    (b'{"id": 1, "unknown": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}", "64"),
]

# What looks wrong and is right, and the row that it makes.
GOOD = [
    (b'{"id": 100}', {}),
    (b'{"id": 101, "id": 102}', {"id": 102}),  # of a key that stands twice the last counts
    (b'{"id": 103, "name": null, "unknown": {"a": [1, null]}}', {}),
    (b'{"id": 104, "name": "\\u0000\\ud83d\\ude00"}', {"name": "\0\U0001f600"}),
    (b'{"id": 105, "big": -9223372036854775808, "tiny": -128}',
     {"big": -(2**63), "tiny": -128}),
    (b'{"id": 106, "exact": 1.50, "ratio": 1e-400}', {"exact": 1.5, "ratio": 0.0}),
    (b'{"id": 107, "big": 1e3}', {"big": 1000}),
    ('{"id": 108, "name": "żółć ﷽"}'.encode(), {"name": "żółć ﷽"}),
    (b' {\t"id"\n:\r109 } ', {}),
    (b'{"id": 110, "inside": {"level": 3, "more": []}, "tags": []}', {"level": 3, "tags": []}),
]  # fmt: skip


class BadRecords(MillraceTest):
    def setUp(self):
        super().setUp()
        self.write("reading.schema.json", json.dumps(SCHEMA))
        self.file = self.write("readings.yaml", PIPELINE)

    def run_on(self, items):
        page = b'{"readings": [' + b",".join(items) + b"]}"
        pages = {"1": page}
        answer = lambda request: list_api.Response(  # noqa: E731
            pages.get(request.query["page"], b'{"readings": []}')
        )
        with list_api.serve(answer) as server:
            millrace = self.instance(API_URL=server.url)
            millrace.up_once(self.file)
        return millrace

    def test_all_in_one_page(self):
        items = []
        for at, (text, _) in enumerate(BAD):
            items += [GOOD[at % len(GOOD)][0], text]
        millrace = self.run_on(items)

        letters = millrace.dead_letters("meters")[::-1]
        self.assertEqual([letter["from"]["offset"] for letter in letters],
                         list(range(1, 2 * len(BAD), 2)))  # fmt: skip
        for letter, (text, words) in zip(letters, BAD, strict=True):
            with self.subTest(text[:80]):
                self.assertIn(words, letter["error"])
            raw = letter.get("raw", "").encode() or base64.b64decode(letter["raw_base64"])
            self.assertEqual(raw, text)

        status = self.assert_balanced(millrace.status())
        source = by_name(status["sources"], "meters")
        self.assertEqual((source["items"], source["dead_letters"]), (len(items), len(BAD)))

        rows = {row["id"]: row for row in millrace.rows("SELECT * FROM town.readings")}
        self.assertEqual(len(rows), len(GOOD))
        for text, wanted in GOOD:
            wanted = {"id": int(text.split(b":", 1)[1].strip(b"\r\n }").split(b",")[0])} | wanted
            row = rows[wanted["id"]]
            nothing = dict.fromkeys(row)
            self.assertEqual(row, nothing | wanted)


if __name__ == "__main__":
    unittest.main()
