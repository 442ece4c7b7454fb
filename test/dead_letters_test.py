#!/usr/bin/env python3
"""What cannot be taken is kept: once, byte for byte, with what was wrong and where it came from."""

import json
import signal
import unittest
import uuid

import page_server
from millrace import MillraceTest, by_name, wait_until

PIPELINE = """
name: people
sources:
  people:
    http:
      url: ${env:PEOPLE_URL}
      every: 1ms
      page: {}
    items: results
    schema: person.schema.json
    to: people
    select: |
      SELECT id, name, email, CAST(score AS INTEGER) AS score, size FROM people
      WHERE name <> 'nobody'
topics:
  people: {key: id, partitions: 2}
tables:
  town.people:
    primary_key: id
    from: |
      SELECT id, name, email, score, CAST(size AS DOUBLE) AS size
      FROM people WHERE name <> 'ghost'
    expect:
      has_email: email LIKE '%_@_%'
      has_score: score >= 0
"""

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"], "format": "uuid"},
        "name": {"type": "string"},
        "email": {"type": ["string", "null"]},
        "score": {"type": ["integer", "string"]},
        "size": {"type": ["string", "null"]},
    },
    "required": ["id", "name"],
}
COLUMNS = ["id", "name", "email", "score", "size"]


def person(number, **changes):
    made = {
        "id": str(uuid.UUID(int=number << 64 | number)),
        "name": f"Żaneta {number}",
        "email": f"z{number}@example.com",
        "score": number,
        "size": "1.5",
    } | changes
    return {name: value for name, value in made.items() if value != "absent"}


def text_of(item):
    """An item as the API writes it: spaces, escapes and all."""
    return json.dumps(item).encode()


def good(number, **changes):
    return text_of(person(number, **changes))


# Items that the source cannot take, and what is to be said about each.
UNDECODABLE = [
    (good(1, id="nope"), "id: expected UUID, got a string"),
    (good(2, id=2), "id: expected UUID, got a number"),
    (good(3, id="absent"), "id: required, but missing"),
    (good(4, name="absent"), "name: required, but missing"),
    (good(5, name=None), "name: expected a string, got null"),
    (good(6, name=["Ann"]), "name: expected a string, got an array"),
    (good(7, email={"at": "home"}), "email: expected a string, got an object"),
    (good(8, score=1.5), "score: expected a string or an integer, got a number 1.5"),
    (good(9, score=True), "score: expected a string or an integer, got a boolean"),
    (good(10, size=False), "size: expected a string, got a boolean"),
    (b'{"id": null, "name": "a\\q"}', "bad JSON"),
    (b'{"id": null, "name": "\\ud800"}', "bad JSON"),
    (b'{"id": null, "name": "a", "score": 01}', "01"),
    (b'{"id": null, "name": nul}', "bad JSON"),
    (b'{"id": null, "name": "a", "unread": [01]}', "bad JSON"),
    (b'{"id": null, "name": "a", "unread": ' + b"[" * 99 + b"]" * 99 + b"}", "64"),
    (b'{"id": null\n\t,\n  "name" :\t5\n}', "name: expected a string, got a number 5"),
    (b"17", "expected an object, got 17"),
    (b'"Ann"', "expected an object"),
    (b"[1, [2]]", "expected an object"),
    (b"null", "expected an object"),
]

# Items whose SELECT fails.
UNCONVERTIBLE = [
    (good(30, score="many"), "many"),
    (good(31, score="99999999999"), "99999999999"),
]

# Items that the table refuses: stage, rule and what is to be said.
REFUSED = [
    (person(40, email="nobody.at.home"), "expect", "has_email", "email LIKE"),
    (person(41, email=None), "expect", "has_email", "email LIKE"),
    (person(42, score=-1), "expect", "has_score", "score >= 0"),
    (person(43, email="@", score=-1), "expect", "has_email", "email LIKE"),
    (person(44, id=None), "expect", "primary_key", "id"),
    (person(45, size="tall"), "sql", "", "tall"),
]

FILTERED_BY_SOURCE = [good(50, name="nobody"), good(51, name="nobody")]
FILTERED_BY_TABLE = [person(52, name="ghost")]
PEOPLE = [person(number) for number in range(100, 140)] + [person(140, score="7", size=None)]


def mixed(*kinds):
    """The items of all kinds, one of each in turn."""
    kinds, items = [list(kind) for kind in kinds], []
    while any(kinds):
        items += [kind.pop(0) for kind in kinds if kind]
    return items


GOOD = [text_of(item) for item in PEOPLE]
BAD = [text for text, _ in UNDECODABLE]
PAGES = [
    mixed(GOOD[:20], BAD[:10], FILTERED_BY_SOURCE[:1]),
    # Nothing of these two pages reaches the topic.
    BAD[10:12],
    [*FILTERED_BY_SOURCE[1:], *BAD[12:16]],
    mixed(
        GOOD[20:],
        BAD[16:],
        [text for text, _ in UNCONVERTIBLE],
        [text_of(item) for item, *_ in REFUSED],
        [text_of(item) for item in FILTERED_BY_TABLE],
    ),
]
EXPECTED_ERRORS = dict(UNDECODABLE) | dict(UNCONVERTIBLE)


def body_of(items):
    return b'{ "results" : [\n  ' + b"\t,\r\n ".join(items) + b"\n] }"


class DeadLetters(MillraceTest):
    def setUp(self):
        super().setUp()
        self.pages = list(PAGES)
        self.server = self.enterContext(page_server.serve(self.answer))
        self.millrace = self.instance(PEOPLE_URL=self.server.url)
        self.file = self.write("people.yaml", PIPELINE)
        self.write("person.schema.json", json.dumps(SCHEMA))

    def answer(self, query):
        page = int(query["page"])
        return body_of(self.pages[page - 1] if page <= len(self.pages) else [])

    def assert_source_refused(self, pages=PAGES):
        """Exactly the items of `pages` that the source cannot take, each once."""
        wanted = [
            (text.decode(), page, number)
            for page, items in enumerate(pages, 1)
            for number, text in enumerate(items)
            if text in EXPECTED_ERRORS
        ]
        letters = self.millrace.dead_letters("people")[::-1]
        found = [
            (letter["raw"], letter["from"]["partition"], letter["from"]["offset"])
            for letter in letters
        ]
        self.assertEqual(found, wanted)
        for letter in letters:
            text = letter["raw"].encode()
            self.assertIn(EXPECTED_ERRORS[text], letter["error"])
            self.assertEqual(letter["stage"], "sql" if text in dict(UNCONVERTIBLE) else "decode")
            self.assertEqual((letter["node"], letter["from"]["topic"]), ("people", "people"))
            self.assertEqual((letter["rule"], letter["key"]), ("", None))
        return letters

    def assert_table_refused(self):
        partitions = self.millrace.records("people")
        letters = {
            json.loads(letter["raw"])["name"]: letter
            for letter in self.millrace.dead_letters("town.people")
        }
        self.assertEqual(len(letters), len(self.millrace.dead_letters("town.people")))
        self.assertEqual(set(letters), {item["name"] for item, *_ in REFUSED})
        for item, stage, rule, error in REFUSED:
            letter = letters[item["name"]]
            self.assertEqual((letter["stage"], letter["rule"]), (stage, rule))
            self.assertIn(error, letter["error"])
            self.assertEqual((letter["node"], letter["key"]), ("town.people", item["id"]))
            values = [item.get(column) for column in COLUMNS]
            record = json.dumps(
                dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False, separators=(",", ":")
            )
            self.assertEqual(letter["raw"], record)
            came_from = letter["from"]
            self.assertEqual(came_from["topic"], "people")
            refused = partitions[came_from["partition"]][came_from["offset"]]
            self.assertEqual(refused["value"], json.loads(record))
        return letters

    def assert_table_is(self, people):
        wanted = [
            {
                "id": item["id"],
                "name": item["name"],
                "email": item["email"],
                "score": int(item["score"]),
                "size": None if item["size"] is None else float(item["size"]),
            }
            for item in people
        ]
        rows = self.millrace.rows("SELECT * FROM town.people ORDER BY name")
        self.assertEqual(rows, sorted(wanted, key=lambda row: row["name"]))

    def assert_counts(self):
        status = self.assert_balanced(self.millrace.status())
        source = by_name(status["sources"], "people")
        table = by_name(status["tables"], "town.people")
        self.assertEqual(source["items"], sum(map(len, PAGES)))
        self.assertEqual(source["dead_letters"], len(EXPECTED_ERRORS))
        self.assertEqual(source["filtered"], len(FILTERED_BY_SOURCE))
        self.assertEqual(table["written"], len(PEOPLE))
        self.assertEqual(table["dead_letters"], len(REFUSED))
        self.assertEqual(table["filtered"], len(FILTERED_BY_TABLE))
        self.assertEqual(table["waiting"], 0)
        for node in (source, table):
            topic = by_name(status["topics"], node["name"] + ".dead_letters")
            self.assertEqual(topic["records"], node["dead_letters"])
            self.assertTrue(topic["dead_letters"])

    def assert_all_is_right(self):
        self.assert_source_refused()
        self.assert_table_refused()
        self.assert_table_is(PEOPLE)
        self.assert_counts()

    def has_taken_all(self):
        status = self.millrace.status()
        sources, tables = status["sources"], status["tables"]
        return sources[0]["items"] == sum(map(len, PAGES)) and tables[0]["waiting"] == 0

    def start_and_take_all(self):
        self.millrace.start(self.file).wait_until_up()
        wait_until(self.has_taken_all, "all pages are in the table")

    def test_every_bad_item_is_a_dead_letter_once(self):
        self.millrace.up_once(self.file)
        self.assert_all_is_right()

    def test_the_counts_are_right_while_it_runs(self):
        self.start_and_take_all()
        self.assert_all_is_right()
        self.millrace.stop()
        self.assert_all_is_right()

    def test_none_is_doubled_after_kills(self):
        self.start_and_take_all()
        first = self.millrace.dead_letters("people"), self.assert_table_refused()
        for _ in range(3):
            self.assertEqual(self.millrace.kill(), -signal.SIGKILL)
            self.start_and_take_all()
            again = self.millrace.dead_letters("people"), self.assert_table_refused()
            self.assertEqual(again, first)
        self.millrace.stop()
        self.assert_all_is_right()

    def counts_of_source_and_letters(self):
        status = self.assert_balanced(self.millrace.status())
        counted = [source["dead_letters"] for source in status["sources"]]
        return counted, by_name(status["topics"], "people.dead_letters")["records"]

    def test_a_last_page_of_nothing_but_bad_items_is_asked_for_again_and_kept_once(self):
        self.pages = PAGES[:2]
        for _ in range(3):
            self.millrace.up_once(self.file)
            self.assert_source_refused(self.pages)
        self.pages = list(PAGES)
        self.millrace.up_once(self.file)
        self.assert_all_is_right()

    def test_a_last_page_of_nothing_but_bad_items_is_counted_at_rest(self):
        self.pages = PAGES[:2]
        self.millrace.up_once(self.file)
        self.assertEqual(self.counts_of_source_and_letters(), ([12], 12))

    def test_an_api_without_pages_that_answers_nothing_but_bad_items(self):
        """Each answer is another one, so none may be taken for a repetition of an older one."""
        self.file.write_text(PIPELINE.replace("      page: {}\n", ""))
        for run in range(1, 4):
            item = good(run, score=True)
            self.server.answer = lambda query, item=item: body_of([item])
            self.millrace.up_once(self.file)
            letters = self.millrace.dead_letters("people")
            names = [json.loads(letter["raw"])["name"] for letter in letters]
            self.assertEqual(names, [f"Żaneta {number}" for number in range(run, 0, -1)])

    def test_a_letter_can_be_shown_by_its_address(self):
        self.millrace.up_once(self.file)
        for node in ("people", "town.people"):
            for letter in self.millrace.dead_letters(node):
                shown = self.millrace.json("dlq", "show", letter["address"])
                self.assertEqual(shown, letter)

    def test_a_response_that_is_no_json_is_asked_for_again(self):
        answers = [
            b"<html>busy</html>",
            b'{"results": [{"id": null, "name": "a}]}',
            b'{"results": [{"id": null}',
            (429, b'{"error": "too many"}'),
        ]
        self.server.answer = lambda query: answers.pop(0) if answers else self.answer(query)
        answer = self.millrace.up_once(self.file)
        self.assertEqual(answers, [])
        self.assertIn("trying again", answer.err)
        self.assertEqual([query["page"] for query in self.server.requests], list("111112345"))
        self.assert_all_is_right()

    def test_a_server_that_stays_broken_ends_a_run_with_its_error(self):
        self.server.answer = lambda query: (500, b"out of order")
        answer = self.millrace.run("up", self.file, "--once", code=1)
        self.assertIn("source people", answer.err)
        self.assertIn("500", answer.err)
        self.assertIn("out of order", answer.err)
        self.assertLess(1, len(self.server.requests))


if __name__ == "__main__":
    unittest.main()
