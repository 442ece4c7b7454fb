#!/usr/bin/env python3
"""The binary is killed thirty times under load, and nothing is lost, doubled or made up.

MILLRACE_SEED replays the delays and the API's pages; they are printed at the start. What the API
has served is known from its generator, so all that must be there is computed here.
"""

import collections
import hashlib
import itertools
import json
import os
import random
import sys
import time
import unittest
import uuid

import page_server
from millrace import DEADLINE_S, MillraceTest, by_name, wait_until

KILLS = 30
ITEMS_OF_PAGE = 200
PARTITIONS = 3
# Pages served at least, and after the last kill.
PAGES_MIN = 1_500
PAGES_AFTER = 20

PIPELINE = """
name: orders
sources:
  shop:
    http:
      url: ${env:SHOP_URL}
      every: 0ms
      page: {}
    items: orders
    schema: order.schema.json
    to: orders
    select: SELECT id, page, number, amount, note FROM shop WHERE kind <> 'test'
topics:
  orders: {key: id, partitions: %d}
tables:
  shop.orders:
    primary_key: id
    from: SELECT * FROM orders WHERE note <> 'quiet'
    expect:
      positive: amount >= 0
""" % PARTITIONS

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "page": {"type": "integer"},
        "number": {"type": "integer"},
        "kind": {"type": "string"},
        "amount": {"type": "integer"},
        "note": {"type": "string"},
    },
    "required": ["id", "page", "number", "kind", "amount", "note"],
}


class Shop:
    """An API whose pages are made from a seed: the same page is always the same bytes."""

    def __init__(self, seed):
        self.seed = seed
        self.last_page = None  # no end yet

    def answer(self, query):
        page = int(query["page"])
        if self.last_page is not None and page > self.last_page:
            return b'{"orders":[]}'
        texts = (self.text(item) for item in self.items(page))
        return b'{"orders":[' + b",".join(texts) + b"]}"

    def items(self, page):
        return [self.item(page, number) for number in range(ITEMS_OF_PAGE)]

    def fate(self, page, number):
        """What becomes of an item."""
        if page % 23 == 0:  # a page that leaves nothing in the topic
            return "undecodable" if number == 7 else "filtered by the source"
        fates = {
            1: "filtered by the source",
            2: "undecodable",
            3: "filtered by the table",
            4: "refused by the table",
            5: "written over an older one",
        }
        return fates.get((number * 7 + page) % 40, "written")

    def id(self, page, number):
        if self.fate(page, number) == "written over an older one" and page > 5:
            page -= 5
        digest = hashlib.md5(f"{self.seed}/{page}/{number}".encode()).hexdigest()
        return str(uuid.UUID(digest))

    def item(self, page, number):
        fate = self.fate(page, number)
        amount = page * 1_000 + number
        return {
            "id": self.id(page, number),
            "page": page,
            "number": number,
            "kind": "test" if fate == "filtered by the source" else "order",
            "amount": -amount if fate == "refused by the table" else amount,
            "note": "quiet" if fate == "filtered by the table" else f"Bestellung №{number}",
        }

    def text(self, item):
        if self.fate(item["page"], item["number"]) == "undecodable":
            item = item | {"amount": "ten"}
        return json.dumps(item, ensure_ascii=False).encode()

    def by_fate(self):
        """Every item served, by what must have become of it, in order."""
        fates = collections.defaultdict(list)
        for page in range(1, self.last_page + 1):
            for item in self.items(page):
                fates[self.fate(page, item["number"])].append(item)
        return fates


def row_of(item):
    return {name: item[name] for name in ("id", "page", "number", "amount", "note")}


def place_of(item):
    return (item["page"], item["number"])


class Kill(MillraceTest):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(2**32)))
        print(f"MILLRACE_SEED={self.seed} replays this", file=sys.stderr, flush=True)
        self.shop = Shop(self.seed)
        self.server = self.enterContext(page_server.serve(self.shop.answer))
        self.file = self.write("orders.yaml", PIPELINE)
        self.write("order.schema.json", json.dumps(SCHEMA))
        self.millrace = self.instance()

    def delays(self):
        """(whether to wait for load first, seconds from then to the kill), for each kill.

        Some fall into the recovery, some around the first page, some into the load.
        """
        random_delays = random.Random(self.seed)
        for number in range(KILLS):
            longest = (0.1, 1, 2)[number % 3]
            yield number % 3 == 2, random_delays.uniform(0, longest)

    def last_page_asked_for(self):
        requests = self.server.requests
        return int(requests[-1]["page"]) if requests else 0

    def requests_since(self, count):
        return self.server.requests[count:]

    def start(self, run):
        self.millrace.start(self.file, SHOP_URL=f"{self.server.url}?run={run}")

    def kill_under_load(self):
        """All the kills; returns how many of them hit a run that had asked for pages."""
        under_load = 0
        for run, (wait_for_load, delay) in enumerate(self.delays()):
            before = len(self.server.requests)
            self.start(run)
            if wait_for_load:
                wait_until(lambda: self.requests_since(before), "a page is asked for")
            time.sleep(delay)
            self.assertIsNone(self.millrace.process.poll(), self.millrace.log_text()[-4000:])
            self.millrace.kill()
            under_load += len(self.server.requests) > before
            if wait_for_load:  # the others are started again at once
                self.assert_balanced(self.millrace.status())
        return under_load

    def assert_asked_again_only_around_kills(self):
        served = 0  # the newest page asked for by the runs before
        # A request may be heard of after the death of who sent it.
        requests = sorted(self.server.requests, key=lambda query: int(query["run"]))
        for _, run in itertools.groupby(requests, lambda query: query["run"]):
            pages = [int(query["page"]) for query in run]
            self.assertEqual(pages, list(range(pages[0], pages[0] + len(pages))))
            self.assertLessEqual(pages[0], served + 1)
            # Only the newest page may not have arrived.
            self.assertGreaterEqual(pages[0], served)
            served = pages[-1]

    def assert_topic_is(self, partitions, wanted):
        self.assertEqual(len(partitions), PARTITIONS)
        for records in partitions:
            self.assertEqual([record["offset"] for record in records], list(range(len(records))))
            places = [place_of(record["value"]) for record in records]
            self.assertEqual(places, sorted(places))
        values = [record["value"] for records in partitions for record in records]
        self.assertEqual(sorted(values, key=place_of), [row_of(item) for item in wanted])
        partition_of = {}
        for number, records in enumerate(partitions):
            for record in records:
                self.assertEqual(record["key"], record["value"]["id"])
                self.assertEqual(partition_of.setdefault(record["key"], number), number)

    def assert_dead_letters_of_source_are(self, wanted):
        (letters,) = self.millrace.records("shop.dead_letters")
        found = []
        for letter in letters:
            headers = letter["headers"]
            self.assertEqual(headers["__connect.errors.topic"], "shop")
            self.assertEqual(headers["__connect.errors.stage"], "decode")
            self.assertIn("amount", headers["__connect.errors.exception.message"])
            place = (headers["__connect.errors.partition"], headers["__connect.errors.offset"])
            found.append((*map(int, place), letter["value"]))
        texts = [json.loads(self.shop.text(item)) for item in wanted]
        self.assertEqual(
            found, [(*place_of(item), text) for item, text in zip(wanted, texts, strict=True)]
        )

    def assert_dead_letters_of_table_are(self, partitions, wanted):
        partition_letters = self.millrace.records("shop.orders.dead_letters")
        found = []
        for letters in partition_letters:
            for letter in letters:
                headers = letter["headers"]
                self.assertEqual(headers["__connect.errors.topic"], "orders")
                self.assertEqual(headers["__connect.errors.stage"], "expect")
                self.assertEqual(headers["millrace.rule"], "positive")
                partition = int(headers["__connect.errors.partition"])
                refused = partitions[partition][int(headers["__connect.errors.offset"])]
                self.assertEqual(letter["value"], refused["value"])
                self.assertEqual(letter["key"], refused["key"])
                found.append(letter["value"])
        self.assertEqual(sorted(found, key=place_of), [row_of(item) for item in wanted])

    def assert_table_is(self, wanted):
        """`wanted`: items in the order of their pages; the last of an id stays."""
        newest = {item["id"]: row_of(item) for item in wanted}
        rows = self.millrace.rows("SELECT * FROM shop.orders")
        self.assertEqual(len(rows), len(newest))
        for row in rows:
            self.assertEqual(row, newest[row["id"]])

    def assert_counts(self, fates):
        status = self.assert_balanced(self.millrace.status())
        source = by_name(status["sources"], "shop")
        table = by_name(status["tables"], "shop.orders")
        count = {fate: len(items) for fate, items in fates.items()}
        written = count["written"] + count["written over an older one"]
        refused, quiet = count["refused by the table"], count["filtered by the table"]
        records = written + refused + quiet
        self.assertEqual(source["pages"], self.shop.last_page)
        self.assertEqual(source["items"], self.shop.last_page * ITEMS_OF_PAGE)
        self.assertEqual(source["records"], records)
        self.assertEqual(source["filtered"], count["filtered by the source"])
        self.assertEqual(source["dead_letters"], count["undecodable"])
        self.assertEqual(table["records_in"], records)
        self.assertEqual(table["written"], written)
        self.assertEqual(table["filtered"], quiet)
        self.assertEqual(table["dead_letters"], refused)
        self.assertEqual(table["waiting"], 0)

    def assert_all_is_right(self):
        fates = self.shop.by_fate()
        in_table = fates["written"] + fates["written over an older one"]
        refused = fates["refused by the table"]
        partitions = self.millrace.records("orders")
        in_topic = in_table + refused + fates["filtered by the table"]
        self.assert_topic_is(partitions, sorted(in_topic, key=place_of))
        self.assert_dead_letters_of_source_are(fates["undecodable"])
        self.assert_dead_letters_of_table_are(partitions, refused)
        self.assert_table_is(sorted(in_table, key=place_of))
        self.assert_counts(fates)
        self.assert_asked_again_only_around_kills()

    def test_nothing_is_lost_doubled_or_made_up(self):
        try:
            self.check()
        except BaseException as error:
            command = f"MILLRACE_SEED={self.seed} python3 {sys.argv[0]}"
            raise AssertionError(f"replay with: {command}") from error

    def check(self):
        began = time.monotonic()
        under_load = self.kill_under_load()
        self.start(KILLS)
        enough = max(PAGES_MIN, self.last_page_asked_for() + PAGES_AFTER)
        wait_until(lambda: self.last_page_asked_for() >= enough, "more pages", 2 * DEADLINE_S)
        self.millrace.kill()
        self.shop.last_page = self.last_page_asked_for() + PAGES_AFTER
        self.shop.last_page += self.shop.last_page % 23 == 0
        self.millrace.up_once(self.file, SHOP_URL=f"{self.server.url}?run={KILLS + 1}")
        killed = time.monotonic()
        self.assertGreaterEqual(under_load, KILLS // 3)
        self.assert_all_is_right()
        print(
            f"{KILLS + 1} kills, {under_load} of them under load, {self.shop.last_page} pages in "
            f"{killed - began:.0f} s; checked in {time.monotonic() - killed:.0f} s",
            file=sys.stderr,
        )


if __name__ == "__main__":
    unittest.main()
