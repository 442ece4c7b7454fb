#!/usr/bin/env python3
"""Dead letters are taken again: by a changed file or an edited record, once, and through kills.

MILLRACE_SEED replays the delays; it is printed at the start.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
import unittest
import uuid

import page_server
from millrace import DEADLINE_S, MillraceTest, binary, by_name, wait_until
from terminal import OnTerminal

ITEMS_OF_PAGE = 500
PAGES = 8
KILLS = 6
SEED = int(os.environ.get("MILLRACE_SEED", random.randrange(1 << 32)))

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
    select: SELECT id, number, CAST(%(amount)s AS INTEGER) AS amount, note FROM shop
topics:
  orders: {key: id, partitions: 2}
tables:
  shop.orders:
    primary_key: id
    from: SELECT * FROM orders WHERE note <> 'quiet'
    expect:
      positive: %(positive)s
      loud: note <> 'mute'
"""
AS_IT_WAS = {"amount": "amount", "positive": "amount >= 0"}
MENDED = {"amount": "replace(amount, ',', '')", "positive": "true"}

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "number": {"type": "integer"},
        "amount": {"type": "string"},
        "note": {"type": "string"},
    },
}


def order(number):
    kind = number % 10
    amount = f"{number},5" if kind == 1 else f"-{number}" if kind == 2 else str(number)
    note = "mute" if kind == 3 else "quiet" if kind == 4 else "ok"
    return {
        "id": str(uuid.UUID(int=number)), "number": number, "amount": amount, "note": note,
    }  # fmt: skip


ORDERS = [order(number) for number in range(PAGES * ITEMS_OF_PAGE)]
TENTH = len(ORDERS) // 10


def order_of_size(number, size):
    return order(10 * number) | {"note": str(number) * size}


def answer(query):
    first = (int(query["page"]) - 1) * ITEMS_OF_PAGE
    return json.dumps({"orders": ORDERS[first : first + ITEMS_OF_PAGE]}).encode()


class Redrive(MillraceTest):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(page_server.serve(answer))
        self.millrace = self.instance(SHOP_URL=self.server.url)
        self.write("order.schema.json", json.dumps(SCHEMA))
        self.write_pipeline(AS_IT_WAS)

    def write_pipeline(self, changes, extra=""):
        self.file = self.write("orders.yaml", PIPELINE % changes + extra)

    def redrive(self, *arguments, code=0):
        return self.millrace.run("dlq", "redrive", *arguments, "-o", "json", code=code).json()

    def counts(self):
        status = self.assert_balanced(self.millrace.status())
        source = by_name(status["sources"], "shop")
        table = by_name(status["tables"], "shop.orders")
        for node in (source, table):
            letters = self.millrace.dead_letters(node["name"])
            self.assertEqual(len(letters), node["dead_letters"])
            self.assertTrue(all(letter["open"] for letter in letters))
        return source, table

    def assert_all_is_taken(self, but_mute=True):
        source, table = self.counts()
        self.assertEqual((source["items"], source["dead_letters"]), (len(ORDERS), 0))
        self.assertEqual(source["redriven"], TENTH)
        self.assertEqual(table["dead_letters"], TENTH if but_mute else 0)
        self.assertEqual(table["waiting"], 0)
        rows = self.millrace.rows("SELECT number, amount FROM shop.orders ORDER BY number")
        wanted = [
            {"number": made["number"], "amount": int(made["amount"].replace(",", ""))}
            for made in ORDERS
            if made["note"] == "ok" or (made["note"] == "mute" and not but_mute)
        ]
        self.assertEqual(rows, wanted)
        (records,) = self.millrace.rows("SELECT count(*) AS n, count(DISTINCT id) AS d FROM orders")
        self.assertEqual(records, {"n": len(ORDERS), "d": len(ORDERS)})

    def catch_up(self):
        self.millrace.up_once(self.file)

    def test_in_bulk_after_the_file_was_mended_at_rest(self):
        self.catch_up()
        source, table = self.counts()
        self.assertEqual((source["dead_letters"], table["dead_letters"]), (TENTH, 2 * TENTH))
        unchanged = self.redrive("--all", code=1)
        self.assertEqual((unchanged["written"], unchanged["failing"]), (0, 3 * TENTH))
        self.write_pipeline(MENDED)
        for round in range(2):
            done = self.redrive("--node", "shop")
            self.assertEqual(done["written"], 0 if round else TENTH)
            done = self.redrive("--rule", "positive")
            self.assertEqual(done["written"], 0 if round else TENTH)
            self.catch_up()
            self.assert_all_is_taken()
        answer = self.millrace.run("dlq", "redrive", "--all", code=1)
        self.assertIn(f"0 written, 0 filtered, {TENTH} still refused", answer.out)
        self.assertIn("expect loud", answer.out)
        listed = self.millrace.run("dlq", "list", "--redriven")
        self.assertIn(f"{TENTH} of shop.orders (expect loud)", listed.err)
        self.assertIn(f"{2 * TENTH} no longer open", listed.err)

    def test_while_the_pipeline_runs(self):
        self.catch_up()
        self.write_pipeline(MENDED)
        self.millrace.start(self.file).wait_until_up()
        done = self.redrive("--all", code=1)
        self.assertEqual((done["written"], done["failing"]), (2 * TENTH, TENTH))
        wait_until(lambda: self.counts()[1]["waiting"] == 0, "the table has caught up")
        self.assert_all_is_taken()
        self.millrace.kill()
        self.catch_up()
        # The table's rows may have gone back with the kill; its letters with them.
        self.redrive("--all", code=1)
        self.assert_all_is_taken()

    def test_on_a_terminal_it_says_how_far_it_is(self):
        self.catch_up()
        terminal = OnTerminal(
            [binary(), "dlq", "redrive", "--all"], self.millrace.environment, cwd=self.folder
        )
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.end(), 1)
        frames = re.findall(r"([\d,]+) of ([\d,]+)  [\d,.]+/s", terminal.raw)
        self.assertEqual(frames[-1], (f"{3 * TENTH:,}",) * 2)
        seen = terminal.seen()
        self.assertNotRegex(seen, r"\d of \d")
        self.assertIn(f"0 written, 0 filtered, {3 * TENTH:,} still refused", seen)

    def test_one_by_one_and_edited(self):
        self.catch_up()
        letter = next(
            letter for letter in self.millrace.dead_letters("shop.orders")
            if letter["rule"] == "loud"
        )  # fmt: skip
        address = letter["address"]
        self.assertEqual(self.redrive(address, code=1)["failing"], 1)
        edited = json.loads(letter["raw"]) | {"note": "was mute"}
        value = self.write("edited.json", json.dumps(edited) + "\n")
        done = self.redrive(address, "--value", value)
        self.assertEqual((done["written"], done["not_open"]), (1, 0))
        done = self.redrive(address, "--value", value)
        self.assertEqual((done["written"], done["not_open"]), (0, 1))
        (row,) = self.millrace.rows("SELECT * FROM shop.orders WHERE note = 'was mute'")
        self.assertEqual(row["id"], edited["id"])
        self.assertFalse(self.millrace.json("dlq", "show", address)["open"])
        self.assertEqual(self.counts()[1]["redriven"], 1)
        # Of a source: the item as the API should have sent it.
        letter = self.millrace.dead_letters("shop")[0]
        item = json.loads(letter["raw"]) | {"amount": "77"}
        value = self.write("edited.json", json.dumps(item))
        self.assertEqual(self.redrive(letter["address"], "--value", value)["written"], 1)
        self.catch_up()
        self.assertEqual(
            self.millrace.rows(f"SELECT amount FROM shop.orders WHERE id = '{item['id']}'"),
            [{"amount": 77}],
        )
        self.counts()

    def test_what_is_asked_wrongly(self):
        self.catch_up()
        for arguments, words in (
            ([], "--all"),
            (["shop/0/0", "--all"], "--all"),
            (["--all", "--value", "x"], "--value"),
            (["nonsense"], "NODE/PARTITION/OFFSET"),
            (["shop/0/99999"], "no dead letter"),
            (["--node", "shop.order"], "did you mean 'shop.orders'"),
            (["--rule", "positve"], "did you mean 'positive'"),
            (["--rule", "absent"], "of rule 'absent', open or not; there are those of loud, posit"),
            (["--rule", "loud", "--node", "shop"], "no dead letter of shop of rule 'loud'"),
        ):
            answer = self.millrace.run("dlq", "redrive", *arguments, code=1)
            self.assertIn(words, answer.err)
            self.assertEqual(answer.out, "")

    def test_what_is_listed_wrongly(self):
        self.catch_up()
        unknown = self.millrace.run("dlq", "list", "--rule", "positve", code=1)
        self.assertIn("did you mean 'positive'", unknown.err)
        for command in ("list", "redrive"):
            unknown = self.millrace.run("dlq", command, "--stage", "expects", code=2)
            self.assertIn("decode", unknown.err)
        # What is right and has none open is told from what has none at all.
        empty = self.millrace.run("dlq", "list", "shop.orders", "--stage", "decode")
        self.assertIn("no dead letters are open with --node shop.orders --stage decode", empty.err)
        self.write_pipeline(MENDED)
        self.redrive("--rule", "positive")
        empty = self.millrace.run("dlq", "list", "--rule", "positive")
        self.assertIn("no dead letters are open with --rule positive", empty.err)
        self.assertEqual(self.redrive("--rule", "positive")["written"], 0)

    def kill_a_redrive(self, rng, arguments):
        """Kills a `dlq redrive`, or the pipeline that does it, at some point."""
        running = rng.random() < 0.5
        if running:
            self.millrace.start(self.file).wait_until_up()
        command = subprocess.Popen(
            [binary(), "dlq", "redrive", *arguments], cwd=self.folder,
            env=self.millrace.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(rng.uniform(0.02, 0.5))  # what is tested is a kill at any moment
        if running:
            self.millrace.kill()
        else:
            command.kill()
        command.wait(DEADLINE_S)

    def test_a_redrive_that_is_killed_and_repeated(self):
        rng = random.Random(SEED)
        self.catch_up()
        self.write_pipeline(MENDED | {"positive": "true OR note = ''"})
        for _ in range(KILLS):
            self.kill_a_redrive(rng, ["--all"])
            self.counts()
        self.redrive("--all", code=1)
        self.catch_up()
        # What came into the topic with the last redrive is mute, too.
        self.redrive("--all", code=1)
        self.assert_all_is_taken()

    def test_a_page_and_its_items_of_any_size(self):
        """A page takes several batches, and what no record can hold is a dead letter, whole."""
        mib = 1 << 20
        items = [order_of_size(number, 3 * mib) for number in range(10)]
        items[3] = order_of_size(3, 17 * mib)
        items[7] = order_of_size(7, 40 * mib)
        page = json.dumps({"orders": items}).encode()
        self.server.answer = lambda query: page if query["page"] == "1" else b'{"orders": []}'
        self.catch_up()
        source, table = self.counts()
        self.assertEqual((source["records"], source["dead_letters"]), (8, 2))
        self.assertEqual(table["written"], 8)
        for letter, size in zip(self.millrace.dead_letters("shop"), (40, 17), strict=True):
            self.assertIn("16.0 MiB", letter["error"])
            file = self.millrace.data_dir / letter["raw_file"]
            self.assertEqual(len(json.loads(file.read_text())["note"]), size * mib)
        shorter = self.file.read_text().replace("note FROM", "left(note, 5) AS note FROM")
        self.file.write_text(shorter)
        # The older one's file is away, which keeps no other.
        away = file.rename(f"{file}.away")
        done = self.redrive("--all", code=1)
        self.assertEqual((done["written"], done["failing"]), (1, 1))
        self.assertIn(file.name, done["examples"][0]["error"])
        away.rename(file)
        self.assertEqual(self.redrive("--all")["written"], 1)
        self.catch_up()
        short = "SELECT note FROM shop.orders WHERE length(note) < 6 ORDER BY note"
        rows = self.millrace.rows(short)
        self.assertEqual(rows, [{"note": "33333"}, {"note": "77777"}])
        self.counts()

    def test_a_table_stops_before_too_many(self):
        self.write_pipeline(AS_IT_WAS, "    dead_letters: {max: 10%}\n")
        answer = self.millrace.run("up", self.file, "--once", code=1)
        self.assertIn("table shop.orders", answer.err)
        self.assertIn("max: 10%", answer.err)
        self.assertIn("fix the pipeline file or its 'max'", answer.err)
        table = by_name(self.assert_balanced(self.millrace.status())["tables"], "shop.orders")
        self.assertGreater(table["waiting"], 0)
        self.millrace.start(self.file).wait_until_up()
        state = lambda: by_name(self.millrace.status()["tables"], "shop.orders")["state"]
        wait_until(lambda: state() == "stopped", "the table has stopped")
        self.millrace.kill()
        # Mended, it goes on with them, and none is lost.
        self.write_pipeline(MENDED, "    dead_letters: {max: 20%}\n")
        self.catch_up()
        self.redrive("--all", code=1)
        self.catch_up()
        self.assert_all_is_taken()

    def test_a_source_stops_after_a_page_with_too_many(self):
        self.write_pipeline(AS_IT_WAS)
        to = "    to: orders\n"
        limit = "    dead_letters: {max: 0.05}\n"
        self.file.write_text(self.file.read_text().replace(to, to + limit))
        answer = self.millrace.run("up", self.file, "--once", code=1)
        self.assertIn("source shop", answer.err)
        self.assertIn("more than dead_letters: {max: 5%} allows", answer.err)
        self.assertIn("fix the pipeline file or its 'max'", answer.err)
        source, _ = self.counts()
        self.assertEqual((source["pages"], source["dead_letters"]), (1, ITEMS_OF_PAGE // 10))
        # A process that goes on asks for no more either.
        asked = len(self.server.requests)
        self.millrace.start(self.file).wait_until_up()
        source = lambda: by_name(self.millrace.status()["sources"], "shop")
        wait_until(lambda: source()["state"] == "stopped", "the source has stopped")
        self.assertIn("{max: 5%}", source()["error"])
        self.assertEqual((source()["pages"], len(self.server.requests)), (2, asked + 1))
        self.millrace.stop()
        self.assertEqual(len(self.server.requests), asked + 1)


if __name__ == "__main__":
    print(f"MILLRACE_SEED={SEED}", file=sys.stderr)
    unittest.main()
