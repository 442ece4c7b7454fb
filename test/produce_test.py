#!/usr/bin/env python3
"""Records put into topics by hand: at rest, beside a running source, and through kills.

MILLRACE_SEED replays the delays; it is printed at the start.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import time
import unittest
import uuid

import page_server
from millrace import DEADLINE_S, MillraceTest, binary, by_name, wait_until

SEED = int(os.environ.get("MILLRACE_SEED", random.randrange(1 << 32)))
KILLS = 8
ITEMS_OF_PAGE = 100

# `visits` is fed by nothing but hands; `orders` by a source, too.
PIPELINE = """
name: shop
sources:
  shop:
    http:
      url: ${env:SHOP_URL:-http://127.0.0.1:1/}
      every: 0ms
      page: {}
    items: orders
    schema: order.schema.json
    to: orders
    select: SELECT id, number, note FROM shop
topics:
  orders: {key: id, partitions: 3}
  visits: {key: [country, id], format: FORMAT, partitions: 2, schema: visit.schema.json}
  notes: {schema: note.schema.json}
tables:
  shop.orders:
    primary_key: id
    from: SELECT * FROM orders
    expect: {loud: note <> 'mute'}
  shop.visits:
    primary_key: [country, id]
    from: SELECT * FROM visits
  shop.notes: {primary_key: text, from: SELECT * FROM notes}
"""

ORDER = {
    "id": {"type": "string", "format": "uuid"},
    "number": {"type": "integer"},
    "note": {"type": "string"},
}
VISIT = {
    "id": {"type": "integer"},
    "country": {"type": "string"},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "spent": {"type": "number", "multipleOf": 0.01},
    "where": {"type": "object", "properties": {"city": {"type": "string"}}},
    "sizes": {"type": "array", "items": {"type": "number", "multipleOf": 1e-37}},
}


def schema(properties):
    return json.dumps({"type": "object", "properties": properties})


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def order(number, note="ok"):
    return {"id": str(uuid.UUID(int=number)), "number": number, "note": note}


class ProduceTest(MillraceTest):
    format = "json"

    def setUp(self):
        super().setUp()
        self.write("order.schema.json", schema(ORDER))
        self.write("visit.schema.json", schema(VISIT))
        self.write("note.schema.json", schema({"text": {"type": "string"}}))
        self.file = self.write("shop.yaml", PIPELINE.replace("FORMAT", self.format))
        self.last_page = 0
        self.server = self.enterContext(page_server.serve(self.answer))
        self.millrace = self.instance(SHOP_URL=self.server.url)

    def answer(self, query):
        page = int(query["page"])
        if self.last_page is not None and page > self.last_page:
            return b'{"orders":[]}'
        first = (page - 1) * ITEMS_OF_PAGE
        page = [order(number) for number in range(first, first + ITEMS_OF_PAGE)]
        undecodable = order(first) | {"number": "none", "note": str(first)}
        return json.dumps({"orders": [undecodable, *page]}).encode()

    def produce(self, topic, text, *arguments, code=0):
        return self.millrace.run("topic", "produce", topic, *arguments, stdin=text, code=code)

    def catch_up(self):
        self.millrace.up_once(self.file)
        return self.assert_balanced(self.millrace.status())

    def values(self, topic):
        partitions = self.millrace.records(topic)
        return [record["value"] for records in partitions for record in records]


class AtRest(ProduceTest):
    def setUp(self):
        super().setUp()
        self.catch_up()

    def check_values(self):
        visits = [
            {"id": 1, "country": "de", "at": "2026-11-03T12:00:00Z", "spent": 1.5},
            {"id": 2, "country": "fr", "where": {"city": "Čáslav"}, "sizes": [1, 2.5]},
            {"id": 1, "country": "de", "spent": -7.25},
        ]
        text = lines(*visits[:2]) + "\n  \r\n" + json.dumps(visits[2])  # without a line's end
        answer = self.produce("visits", text, "-o", "json").json()
        self.assertEqual((answer["topic"], answer["records"]), ("visits", 3))
        self.assertEqual(sum(part["records"] for part in answer["partitions"]), 3)
        for part in answer["partitions"]:
            count = part["last_offset"] - part["first_offset"] + 1
            self.assertEqual(part["records"], count)
        found = {}
        for records in self.millrace.records("visits"):
            for record in records:
                found.setdefault(record["key"], []).append(record["value"])
        self.assertEqual(set(found), {'["de",1]', '["fr",2]'})
        self.assertEqual([value["spent"] for value in found['["de",1]']], [1.5, -7.25])
        self.assertEqual(found['["fr",2]'][0]["where"], {"city": "Čáslav"})
        status = self.catch_up()
        self.assertEqual(by_name(status["tables"], "shop.visits")["written"], 3)
        self.assertNotIn("", [source["name"] for source in status["sources"]])
        rows = self.millrace.rows("SELECT id, \"at\", spent FROM shop.visits ORDER BY id")
        self.assertEqual(
            rows,
            [
                {"id": 1, "at": "2026-11-03T12:00:00Z", "spent": -7.25},
                {"id": 2, "at": None, "spent": None},
            ],
        )

        gone = self.produce("visits", lines({"id": 1, "country": "de"}), "--tombstones")
        self.assertIn("1 record appended to visits", gone.out)
        self.catch_up()
        self.assertEqual(self.millrace.rows("SELECT id FROM shop.visits"), [{"id": 2}])

    def test_records_of_many_bytes_are_consumed_piece_by_piece(self):
        self.catch_up()
        note = "x" * (3 << 20)
        self.produce("orders", lines(*(order(number, note) for number in range(12))))

        def consumed(*arguments):
            command = ("topic", "consume", "orders", *arguments, "-o", "json")
            return self.millrace.run(*command).json_lines()

        records = consumed("--from-start")
        places = {partition: [] for partition in range(3)}
        for record in records:
            places[record["partition"]].append(record["offset"])
        for offsets in places.values():
            self.assertEqual(offsets, list(range(len(offsets))))
        numbers = [record["value"]["number"] for record in records]
        self.assertEqual(sorted(numbers), list(range(12)))
        self.assertEqual(len(consumed("--from-start", "-n", "7")), 7)
        by_time = lambda record: (record["timestamp"], record["partition"], record["offset"])
        self.assertEqual(consumed("-n", "12"), sorted(records, key=by_time)[-2:])

    def test_become_rows_and_tombstones_erase_them(self):
        self.check_values()

    def test_from_a_file_and_without_a_key(self):
        file = self.write("notes.jsonl", lines(*({"text": str(i)} for i in range(5_000))))
        answer = self.millrace.run("topic", "produce", "notes", "-f", file)
        self.assertRegex(answer.out, r"5,000 records appended to notes\n(.*\n)*")
        texts = [value["text"] for value in self.values("notes")]
        self.assertEqual(texts, [*map(str, range(5_000))])
        refused = self.produce("notes", '{"text":"1"}', "--tombstones", code=1)
        self.assertIn("topic notes has no key", refused.err)
        self.assertEqual(self.produce("notes", "").out, "0 records appended to notes\n")

    def test_what_does_not_fit_is_refused_with_its_line(self):
        good = lines({"id": 1, "country": "de"})
        whole = json.dumps({"id": 1, "country": "de", "spent": 1})
        wrong = {
            '{"id": 1, "country": "de"': "line 2: bad JSON",
            "[1]": "line 2: expected an object, got [1]",
            "\udcff": "line 2: bad JSON",
            whole + whole: "line 2: bad JSON: more text after the object",
            '{"id": "one", "country": "de"}': "line 2: id: expected BIGINT, got a string",
            '{"country": "de"}': "line 2: id: required, but missing",
            '{"id": 1, "country": null}': "line 2: country: ",
            '{"id": 1, "country": "de", "spend": 1}': "there is no 'spend'; did you mean 'spent'?",
            '{"id": 1, "country": "", "where": {"town": ""}}': "where: there is no 'town'",
        }  # fmt: skip
        for line, words in wrong.items():
            answer = self.produce("visits", good + line + "\n" + good, code=1)
            self.assertIn(words, answer.err)
            self.assertIn("; nothing was appended", answer.err)
            self.assertEqual(answer.out, "")
        self.assertEqual(self.values("visits"), [])

    def test_what_is_too_large_is_refused(self):
        numbers = '{"id": 1, "country": "de", "sizes": [' + "0," * 500_000 + "0]}\n"
        if self.format == "json":  # with all digits of its decimals it is 20 times as long
            answer = self.produce("visits", "\n" + numbers, code=1)
            self.assertIn("line 2: it makes a record of more than 16.0 MiB", answer.err)
        small, long = ({"id": 1, "country": "x" * size} for size in (9, 4 << 20))
        too_long = lines({"id": 1, "country": "x" * (16 << 20)})
        answer = self.produce("visits", lines(small, long, small) + too_long, code=1)
        self.assertIn("line 4: a line has at most 16.0 MiB", answer.err)
        self.assertIn("lines 1 to 3 are in the topic, nothing after them", answer.err)
        self.assertEqual(len(self.values("visits")), 3)

    def test_a_batch_is_refused_whole_and_those_before_it_stay(self):
        records = [{"id": i, "country": "x" * 1_000} for i in range(3_000)]
        text = lines(*records) + '{"id": 3000}\n' + lines(*records)
        answer = self.produce("visits", text, "-o", "json", code=1)
        self.assertIn("line 3001: country: required, but missing", answer.err)
        count = answer.json()["records"]
        self.assertIn(f"lines 1 to {count:,} are in the topic, nothing after them", answer.err)
        self.assertGreater(count, 1_000)
        self.assertEqual(sorted(value["id"] for value in self.values("visits")), [*range(count)])
        rest = "".join(text.splitlines(keepends=True)[count:]).replace('{"id": 3000}\n', "")
        self.produce("visits", rest)
        self.assertEqual(len(self.values("visits")), 6_000)

    def test_topics_that_take_none(self):
        answer = self.produce("visitz", "", code=1)
        self.assertIn("there is no topic 'visitz'; did you mean 'visits'?", answer.err)
        self.produce("orders", lines(order(1, "mute")))
        self.catch_up()
        answer = self.produce("shop.orders.dead_letters", "{}\n", code=1)
        self.assertIn("has records that were refused, and takes no others", answer.err)
        answer = self.produce("visits", "", "--data-dir", self.folder / "none", code=1)
        self.assertIn("there is no data in", answer.err)
        self.assertFalse((self.folder / "none").exists())
        answer = self.produce("visits", "", "-f", "none.jsonl", code=1)
        self.assertIn("cannot open none.jsonl: No such file", answer.err)


class Avro(AtRest):
    format = "avro"


class Running(ProduceTest):
    def start(self):
        self.millrace.start(self.file).wait_until_up()

    def test_lines_are_taken_as_they_are_typed(self):
        self.start()
        typed = subprocess.Popen(
            [binary(), "topic", "produce", "visits"], env=self.millrace.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(typed.kill)
        for i in range(3):
            typed.stdin.write(lines({"id": i, "country": "de"}).encode())
            typed.stdin.flush()
            wait_until(
                lambda i=i: by_name(self.millrace.status()["tables"], "shop.visits")["written"] > i,
                "the row of a line",
            )
        out, _ = typed.communicate(timeout=DEADLINE_S)
        self.assertIn(b"3 records appended to visits", out)
        self.assertEqual(typed.returncode, 0)
        self.millrace.stop()

    def test_refusals_are_the_same_as_at_rest(self):
        self.start()
        answer = self.produce("visits", '{"id": 1}\n', code=1)
        self.assertIn("line 1: country: required, but missing; nothing was appended", answer.err)
        answer = self.produce("visitz", "", code=1)
        self.assertIn("did you mean 'visits'?", answer.err)
        self.millrace.stop()


class Kill(ProduceTest):
    def assert_all_is_there(self, acknowledged, asked):
        """Every item of the source once, every acknowledged record once, none made up."""
        values = self.values("orders")
        fetched = sorted(value["number"] for value in values if value["note"] == "ok")
        self.assertEqual(fetched, [*range(self.last_page * ITEMS_OF_PAGE)])
        by_hand = [value["number"] for value in values if value["note"] == "by hand"]
        self.assertEqual(len(set(by_hand)), len(by_hand))
        self.assertLessEqual(set(acknowledged), set(by_hand))
        self.assertLessEqual(set(by_hand), set(asked))
        # Those of one request are all there, or none.
        for first in range(0, len(asked), 50):
            batch = set(asked[first : first + 50])
            self.assertIn(len(batch & set(by_hand)), (0, len(batch)))
        status = self.catch_up()
        source = by_name(status["sources"], "shop")
        self.assertEqual(source["items"], self.last_page * (ITEMS_OF_PAGE + 1))
        self.assertEqual(source["records"], self.last_page * ITEMS_OF_PAGE)
        letters = [json.loads(letter["raw"]) for letter in self.millrace.dead_letters("shop")]
        refused = sorted(int(letter["note"]) for letter in letters)
        self.assertEqual(refused, [*range(0, self.last_page * ITEMS_OF_PAGE, ITEMS_OF_PAGE)])
        table = by_name(status["tables"], "shop.orders")
        self.assertEqual(table["records_in"], len(values))
        rows = self.millrace.rows("SELECT * FROM shop.orders ORDER BY number")
        self.assertEqual(rows, sorted(values, key=lambda value: value["number"]))
        for number, records in enumerate(self.millrace.records("orders")):
            self.assertEqual([record["offset"] for record in records], [*range(len(records))])

    def test_beside_a_source_under_load(self):
        print(f"MILLRACE_SEED={SEED} replays this", file=sys.stderr, flush=True)
        rng = random.Random(SEED)
        self.last_page = None
        numbers = itertools.count(1_000_000)
        asked, acknowledged = [], []

        def produce_some():
            batch = [next(numbers) for _ in range(50)]
            asked.extend(batch)
            answer = subprocess.run(
                [binary(), "topic", "produce", "orders"], env=self.millrace.environment,
                input=lines(*(order(number, "by hand") for number in batch)).encode(),
                capture_output=True, timeout=DEADLINE_S, check=False,
            )  # fmt: skip
            if answer.returncode == 0:
                acknowledged.extend(batch)

        for number in range(KILLS):
            before = len(self.server.requests)
            self.millrace.start(self.file).wait_until_up()
            wait_until(lambda before=before: len(self.server.requests) > before + 3, "pages")
            end = time.monotonic() + rng.uniform(0.05, 0.6)
            while time.monotonic() < end:
                produce_some()
            if number % 3 != 2:
                producing = subprocess.Popen(
                    [binary(), "topic", "produce", "orders"], env=self.millrace.environment,
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                batch = [next(numbers) for _ in range(50)]
                asked.extend(batch)
                text = lines(*(order(made, "by hand") for made in batch)).encode()
                producing.stdin.write(text)
                producing.stdin.close()
                self.millrace.kill()
                producing.wait(DEADLINE_S)
                if producing.returncode == 0:
                    acknowledged.extend(batch)
            else:
                self.millrace.kill()
            if number % 2:
                produce_some()  # at rest, after a kill
        self.assertGreater(len(acknowledged), KILLS * 50)
        self.last_page = max(int(query["page"]) for query in self.server.requests)
        self.catch_up()
        self.assert_all_is_there(acknowledged, asked)

    def test_a_producer_at_rest_that_is_killed(self):
        self.catch_up()
        asked = [*range(1_000_000, 1_020_000)]
        text = lines(*(order(number, "by hand") for number in asked)).encode()
        for delay in (0.02, 0.05, 0.1, 0.2):
            producing = subprocess.Popen(
                [binary(), "topic", "produce", "orders"], env=self.millrace.environment,
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            producing.stdin.write(text[:10_000])
            producing.stdin.flush()
            time.sleep(delay)
            producing.kill()
            producing.wait(DEADLINE_S)
            producing.stdin.close()
            self.assert_balanced(self.millrace.status())
        self.last_page = 3
        self.catch_up()
        values = self.values("orders")
        fetched = sorted(value["number"] for value in values if value["note"] == "ok")
        self.assertEqual(fetched, [*range(self.last_page * ITEMS_OF_PAGE)])


if __name__ == "__main__":
    unittest.main()
