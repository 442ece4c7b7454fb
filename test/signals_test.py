#!/usr/bin/env python3
"""Signals to `millrace up`: SIGTERM and Ctrl-C end it in time, SIGHUP has it take the file anew."""

import fcntl
import json
import os
import signal
import subprocess
import threading
import time
import unittest

import http_server
import page_server
from millrace import DEADLINE_S, MillraceTest, binary, by_name, wait_until

STOP_S = 5  # as promised, whatever hangs
# The system takes the memory of a process away before its end is seen, and Popen.wait looks for it
# every 50 ms.
SEEN_S = 0.25
TAKEN = "the pipeline file was taken"
NOT_TAKEN = "the pipeline file was not taken; all goes on by the old one"
ITEMS_OF_PAGE = 20
SCHEMA = """{"type": "object", "properties": {
  "id": {"type": "integer"}, "text": {"type": "string"}, "total": {"type": "integer"}}}"""

PIPELINE = """
name: shop
sources:
  orders:
    http: {url: "${env:API_URL}", every: 5ms, page: {}}
    items: items
    schema: item.schema.json
    to: orders
    select: SELECT id, text, total FROM orders
topics:
  orders: {key: id}
tables:
  shop.orders:
    primary_key: id
    from: SELECT id, text, total FROM orders
    expect: {has_total: total > 0}
"""
SECOND_TABLE = """
  shop.texts:
    primary_key: id
    from: SELECT id, upper(text) AS text FROM orders
"""
SECOND_SOURCE = """  more:
    http: {url: "${env:MORE_URL}", every: 5ms, page: {}}
    items: items
    schema: item.schema.json
    to: more
    select: SELECT id FROM more
"""
WITH_VERSION = PIPELINE.replace("select: SELECT id,", "select: SELECT 1 AS version, id,")
# One record takes DuckDB much longer than a stop may take.
ENDLESS = "levenshtein(repeat(text, 400000), repeat('x', 400000))"


class Signals(MillraceTest):
    """A shop whose API has ever more orders; every tenth has no total."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(page_server.serve(self.answer))
        self.millrace = self.instance(API_URL=self.server.url)
        self.write("item.schema.json", SCHEMA)
        self.file = self.write("shop.yaml", PIPELINE)
        self.lines_seen = 0

    def answer(self, query):
        first = (int(query["page"]) - 1) * ITEMS_OF_PAGE
        ids = range(first, first + ITEMS_OF_PAGE)
        items = [{"id": i, "text": f"text {i}", "total": i % 10} for i in ids]
        return json.dumps({"items": items}).encode()

    def start(self, *arguments):
        self.millrace.start(self.file, *arguments).wait_until_up()
        self.wait_for_rows(1)

    def table(self, name="shop.orders"):
        return by_name(self.millrace.status()["tables"], name)

    def wait_for_rows(self, more, name="shop.orders"):
        before = 0
        if name in [table["name"] for table in self.millrace.status()["tables"]]:
            before = self.table(name)["written"]
        wait_until(lambda: self.table(name)["written"] >= before + more, f"{more} rows in {name}")

    def log(self):
        """The JSON lines so far."""
        lines = self.millrace.log_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def end_in_time(self, signal_number, code=0):
        began = time.monotonic()
        ended = self.millrace.end(signal_number)
        took = time.monotonic() - began
        self.assertEqual(ended, code, self.millrace.log_text()[-4000:])
        self.assertLess(took, STOP_S + SEEN_S, self.millrace.log_text()[-4000:])
        return took

    def assert_all_once(self, nothing_waits=True):
        """Every order that came is in the topic once, and in the table or a dead letter once."""
        status = self.assert_balanced(self.millrace.status())
        (counted,) = self.millrace.rows(
            "SELECT count(*) AS n, count(DISTINCT id) AS ids, max(id) AS last FROM orders"
        )
        self.assertEqual(counted["n"], counted["ids"])
        self.assertEqual(counted["n"], int(counted["last"]) + 1)
        table = by_name(status["tables"], "shop.orders")
        self.assertEqual(table["records_in"], counted["n"])
        if nothing_waits:
            self.assertEqual(table["waiting"], 0)
            (rows,) = self.millrace.rows("SELECT count(*) AS n FROM shop.orders")
            self.assertEqual(rows["n"] + table["dead_letters"], counted["n"])
            self.assertEqual(table["dead_letters"] * 10, counted["n"])


class Stopping(Signals):
    def test_under_load_all_that_came_reaches_the_table(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                self.start()
                lock = self.millrace.data_dir / "LOCK"
                self.assertEqual(lock.read_text(), f"{self.millrace.process.pid}\n")
                self.end_in_time(number)
                self.assertEqual(lock.read_text(), "")  # for kill -HUP "$(cat data/LOCK)"
                self.assert_all_once()

    def test_what_a_table_has_not_read_is_read_before_the_end(self):
        self.write("shop.yaml", PIPELINE[: PIPELINE.index("tables:")])
        self.millrace.start(self.file).wait_until_up()
        wait_until(
            lambda: by_name(self.millrace.status()["sources"], "orders")["records"] > 2_000,
            "records",
        )
        self.millrace.stop()
        self.write("shop.yaml", PIPELINE)
        self.millrace.start(self.file).wait_until_up()
        self.end_in_time(signal.SIGTERM)
        self.assert_all_once()

    def test_a_server_that_hangs_does_not_hold_it_up(self):
        for answer in (http_server.hang, http_server.one_byte_a_second):
            with self.subTest(answer.__name__), http_server.serve() as server:
                server.answers["/"] = answer
                self.millrace = self.instance(answer.__name__, API_URL=server.url + "/")
                self.millrace.start(self.file).wait_until_up()
                wait_until(lambda: server.requests, "a request")
                self.assertLess(self.end_in_time(signal.SIGTERM), 3)

    def start_endless(self):
        """Runs a table that cannot end its first batch in time."""
        text = PIPELINE.replace("SELECT id, text, total FROM orders\n    expect",
                                f"SELECT id, {ENDLESS} AS n, total FROM orders\n    expect")
        self.write("shop.yaml", text)
        self.millrace.start(self.file).wait_until_up()
        wait_until(
            lambda: by_name(self.millrace.status()["sources"], "orders")["records"] > 0, "records"
        )

    def test_what_does_not_end_is_ended_by_force_and_named(self):
        self.start_endless()
        took = self.end_in_time(signal.SIGTERM, code=1)
        self.assertGreater(took, 4)
        last = self.log()[-1]
        self.assertEqual(last["level"], "error")
        self.assertIn("ended by force, for it did not stop in 5s", last["message"])
        self.assertIn("shop.orders", last["unfinished"])
        # Nothing is lost by it: under another name, the table gets all that came.
        self.server.answer = lambda query: b'{"items": []}'
        self.write("shop.yaml", PIPELINE.replace("shop.orders", "shop.sane"))
        self.millrace.up_once(self.file)
        sane = self.table("shop.sane")
        self.assertGreater(sane["written"], 0)
        self.assertEqual(sane["written"] + sane["dead_letters"], sane["records_in"])

    def test_a_second_signal_ends_it_at_once(self):
        self.start_endless()
        self.millrace.process.send_signal(signal.SIGINT)
        wait_until(lambda: "stopping" in self.millrace.log_text(), "it is stopping")
        began = time.monotonic()
        self.assertEqual(self.millrace.end(signal.SIGINT), -signal.SIGINT)
        self.assertLess(time.monotonic() - began, 3)

    def test_a_reader_of_its_log_that_does_not_read_does_not_hold_it_up(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)
        os.set_blocking(writing, False)
        os.write(writing, b"x" * 4_096)
        os.set_blocking(writing, True)
        process = subprocess.Popen(
            [binary(), "up", self.file], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=writing, env=self.millrace.environment,
        )  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(writing)
        wait_until(self.millrace.is_up, "the API answers")
        self.millrace.process = process
        self.end_in_time(signal.SIGTERM, code=1)
        # Nothing is lost by it.
        self.server.answer = lambda query: b'{"items": []}'
        self.millrace.up_once(self.file)
        self.assert_all_once()


class Reload(Signals):
    def reload(self, text=None, taken=True):
        """Has the file read again; the lines that it logged of it."""
        if text is not None:
            self.write("shop.yaml", text)
        before = len(self.log())
        self.millrace.process.send_signal(signal.SIGHUP)
        message = TAKEN if taken else NOT_TAKEN

        def said():
            new = self.log()[before:]
            done = [line for line in new if line["message"] in (TAKEN, NOT_TAKEN)]
            return done and [line for line in done if line["message"] == message] or (
                done and self.fail(f"wanted '{message}': {done}")
            )

        return wait_until(said, message)

    def assert_goes_on(self):
        self.wait_for_rows(ITEMS_OF_PAGE)

    def finish(self):
        self.millrace.stop()
        self.assert_all_once()

    def test_a_table_is_added_and_gets_all_that_is_there(self):
        self.start()
        (line,) = self.reload(PIPELINE + SECOND_TABLE)
        self.assertEqual(
            (line["started"], line["restarted"], line["stopped"], line["unchanged"]),
            ("shop.texts", "none", "none", 2),
        )
        self.wait_for_rows(1, "shop.texts")
        self.assert_goes_on()
        self.finish()
        (texts,) = self.millrace.rows("SELECT count(*) AS n, min(id) AS first FROM shop.texts")
        (orders,) = self.millrace.rows("SELECT count(*) AS n FROM orders")
        self.assertEqual((texts["n"], texts["first"]), (orders["n"], 0))

    def test_a_table_is_taken_away_and_comes_back(self):
        self.write("shop.yaml", PIPELINE + SECOND_TABLE)
        self.start()
        self.wait_for_rows(1, "shop.texts")
        (line,) = self.reload(PIPELINE)
        self.assertEqual((line["stopped"], line["unchanged"]), ("shop.texts", 2))
        self.assertEqual([t["name"] for t in self.millrace.status()["tables"]], ["shop.orders"])
        self.assert_goes_on()
        self.reload(PIPELINE + SECOND_TABLE)
        self.finish()
        (texts,) = self.millrace.rows("SELECT count(*) AS n FROM shop.texts")
        (orders,) = self.millrace.rows("SELECT count(*) AS n FROM orders")
        self.assertEqual(texts, orders)

    def test_another_select_and_other_rules(self):
        self.start()
        text = PIPELINE.replace(
            "from: SELECT id, text, total FROM orders",
            "from: SELECT id, text, total, total * 2 AS twice FROM orders",
        ).replace("total > 0", "total > 0 AND id >= 0")
        (line,) = self.reload(text)
        self.assertEqual((line["restarted"], line["unchanged"]), ("shop.orders", 1))
        self.assert_goes_on()
        self.finish()
        (twice,) = self.millrace.rows(
            "SELECT count(twice) AS n, count_if(twice <> 2 * total) AS wrong FROM shop.orders"
        )
        self.assertGreaterEqual(twice["n"], ITEMS_OF_PAGE)
        self.assertEqual(twice["wrong"], 0)

    def test_another_select_of_a_source_restarts_its_tables_too(self):
        self.start()
        (line,) = self.reload(WITH_VERSION)
        self.assertEqual((line["restarted"], line["unchanged"]), ("orders, shop.orders", 0))
        self.assert_goes_on()
        self.finish()

    def test_another_address_and_headers(self):
        with http_server.serve() as other:
            other.answers["/"] = lambda handler: handler.reply(body=b'{"items": []}')
            self.start()
            text = PIPELINE.replace(
                '"${env:API_URL}", every: 5ms, page: {}',
                f'"{other.url}/", every: 50ms, auth: {{bearer: "${{secret:TOKEN}}"}}',
            )
            (self.folder / "secrets").mkdir()
            self.write("secrets/TOKEN", "tr0mbone")
            self.millrace.stop()
            self.millrace.environment["MILLRACE_SECRETS"] = str(self.folder / "secrets")
            self.start()
            (line,) = self.reload(text)
            self.assertEqual((line["restarted"], line["unchanged"]), ("orders", 1))
            wait_until(lambda: other.requests, "a request")
            self.assertEqual(other.requests["/"][0].headers["Authorization"], "Bearer tr0mbone")
            # The file is the same, the secret is not.
            self.write("secrets/TOKEN", "b4ssoon")
            (line,) = self.reload()
            self.assertEqual((line["restarted"], line["unchanged"]), ("orders", 1))
            wait_until(
                lambda: other.requests["/"][-1].headers["Authorization"] == "Bearer b4ssoon",
                "the new secret is sent",
            )
            (line,) = self.reload()
            self.assertEqual((line["restarted"], line["unchanged"]), ("none", 2))
            self.reload(PIPELINE)
            self.assert_goes_on()
        self.finish()
        self.assertNotIn("tr0mbone", self.millrace.log_text())
        self.assertNotIn("b4ssoon", self.millrace.log_text())

    def test_a_source_is_added_and_removed(self):
        with page_server.serve(self.answer) as more:
            self.millrace.environment["MORE_URL"] = more.url
            self.start()
            two = PIPELINE.replace("topics:", SECOND_SOURCE + "topics:\n  more: {key: id}")
            (line,) = self.reload(two)
            self.assertEqual((line["started"], line["unchanged"]), ("more", 2))
            wait_until(lambda: len(more.requests) > 3, "requests of the new source")
            (line,) = self.reload(PIPELINE)
            self.assertEqual((line["stopped"], line["unchanged"]), ("more", 2))
            asked = len(more.requests)
            self.assert_goes_on()
            self.assertEqual(len(more.requests), asked)
            self.reload(two)
            wait_until(lambda: len(more.requests) > asked, "requests again")
            self.finish()
            (counted,) = self.millrace.rows(
                "SELECT count(*) AS n, count(DISTINCT id) AS ids, max(id) AS last FROM more"
            )
            self.assertEqual(counted["n"], counted["ids"])
            self.assertEqual(counted["n"], int(counted["last"]) + 1)

    def test_retention_restarts_nothing(self):
        self.start()
        (line,) = self.reload(PIPELINE.replace("{key: id}", "{key: id, retention: 7d}"))
        self.assertEqual((line["restarted"], line["unchanged"]), ("none", 2))
        self.assert_goes_on()
        self.finish()

    def test_files_that_cannot_be_taken(self):
        """It says what is wrong and where; what runs does not notice, and takes the next file."""
        self.start()
        wrong = {
            "no YAML": (PIPELINE + "  : [", "shop.yaml:17:6: not YAML"),
            "an unknown key": (PIPELINE.replace("    to:", "    ot:"), "did you mean 'to'"),
            "SQL": (PIPELINE.replace("SELECT id, text, total FROM", "SELECT id, txet, total FROM"),
                    "txet"),
            "no topic": (PIPELINE.replace("total FROM orders\n    expect",
                                          "total FROM ordrs\n    expect"), "did you mean 'orders'"),
            "primary key": (
                PIPELINE.replace("primary_key: id", "primary_key: text"),
                "table shop.orders: the partition key was (id), the pipeline file says (text)",
            ),
            "column type": (
                PIPELINE.replace("from: SELECT id, text, total",
                                 "from: SELECT id, text, total::VARCHAR AS total").replace(
                                     "total > 0", "total <> ''"),
                "column 'total' was BIGINT, the pipeline file says VARCHAR",
            ),
            "a column less": (
                PIPELINE.replace("from: SELECT id, text, total", "from: SELECT id, total"),
                "has a column 'text', the pipeline file has not",
            ),
            "partitions": (
                PIPELINE.replace("{key: id}", "{key: id, partitions: 3}"),
                "topic orders has 1 partition, the pipeline file says 3",
            ),
            "topic key": (
                PIPELINE.replace("{key: id}", "{key: text}"), "topic orders has the key 'id'",
            ),
            "another source": (
                PIPELINE.replace("  orders:\n    http", "  orders_2:\n    http").replace(
                    "SELECT id, text, total FROM orders\ntopics",
                    "SELECT id, text, total FROM orders_2\ntopics"),
                "topic orders was fed by source orders",
            ),
        }  # fmt: skip
        started_at = time.monotonic()
        for name, (text, hint) in wrong.items():
            with self.subTest(name):
                self.assertNotEqual(text, PIPELINE)
                lines = self.reload(text, taken=False)
                said = [f"{line.get('place')}: {line['error']}" for line in lines]
                self.assertIn(hint, " ".join(said))
                self.assertEqual({line["level"] for line in lines}, {"error"})
        self.file.unlink()
        (line,) = self.reload(taken=False)
        self.assertIn("No such file", line["error"])
        self.assert_goes_on()
        status = self.millrace.status()
        self.assertGreaterEqual(status["uptime_ms"], (time.monotonic() - started_at) * 1000 - 100)
        (line,) = self.reload(PIPELINE)
        self.assertEqual(line["unchanged"], 2)
        self.finish()

    def test_a_node_that_has_stopped_starts_again(self):
        strict = PIPELINE.replace("expect:", "dead_letters: {max: 1%}\n    expect:")
        self.write("shop.yaml", strict)
        self.millrace.start(self.file).wait_until_up()
        wait_until(lambda: self.table()["state"] == "stopped", "the table has stopped")
        (line,) = self.reload(PIPELINE)
        self.assertEqual((line["restarted"], line["unchanged"]), ("shop.orders", 1))
        wait_until(lambda: self.table()["state"] == "running", "it runs")
        self.wait_for_rows(ITEMS_OF_PAGE)
        self.reload(strict)
        wait_until(lambda: self.table()["state"] == "stopped", "it stops again")
        # The same file starts it once more; it stops for the same reason.
        (line,) = self.reload(strict)
        self.assertEqual((line["restarted"], line["unchanged"]), ("shop.orders", 1))
        self.reload(PIPELINE)
        self.finish()

    def test_many_reloads_lose_and_double_nothing(self):
        self.start()
        variants = [
            PIPELINE.replace("every: 5ms", "every: 4ms"),
            PIPELINE.replace("total > 0", "total >= 1") + SECOND_TABLE,
            WITH_VERSION,
            PIPELINE,
        ]
        for text in variants * 4:
            self.reload(text)
            self.wait_for_rows(1)
        self.finish()

    def test_redriving_goes_on_while_the_file_changes(self):
        self.start()
        done = threading.Event()
        answers = []

        def redrive():
            while not done.is_set():
                answers.append(subprocess.run(
                    [binary(), "dlq", "redrive", "--all", "-o", "json"], capture_output=True,
                    env=self.millrace.environment, timeout=DEADLINE_S, cwd=self.folder,
                ))  # fmt: skip

        thread = threading.Thread(target=redrive)
        thread.start()
        try:
            lenient = PIPELINE.replace("total > 0", "total >= 0 AND id >= 0")
            for text in [lenient, PIPELINE, lenient + SECOND_TABLE, lenient] * 3:
                self.reload(text)
                self.wait_for_rows(1)
        finally:
            done.set()
            thread.join()
        for answer in answers:
            self.assertIn(answer.returncode, (0, 1), answer)  # 1: some are refused again
            self.assertEqual(answer.stderr, b"" if answer.returncode == 0 else answer.stderr)
        self.millrace.run("dlq", "redrive", "--all")
        self.millrace.stop()
        status = self.assert_balanced(self.millrace.status())
        table = by_name(status["tables"], "shop.orders")
        self.assertEqual((table["dead_letters"], table["waiting"]), (0, 0))
        (counted,) = self.millrace.rows(
            "SELECT count(*) AS n, count(DISTINCT id) AS ids, max(id) AS last FROM shop.orders"
        )
        self.assertEqual((counted["n"], counted["ids"]), (int(counted["last"]) + 1,) * 2)
        self.assertEqual(table["written"], counted["n"])
        self.assertGreater(table["redriven"], 0)

    def test_a_run_with_once_takes_no_other_file(self):
        asked, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def answer(query):
            if int(query["page"]) == 3:
                asked.set()
                go_on.wait(DEADLINE_S)
                return b'{"items": []}'
            return self.answer(query)

        self.server.answer = answer
        self.millrace.start(self.file, "--once").wait_until_up()
        self.assertTrue(asked.wait(DEADLINE_S))
        (line,) = self.reload(PIPELINE + SECOND_TABLE, taken=False)
        self.assertIn("--once", line["error"])
        go_on.set()
        process, self.millrace.process = self.millrace.process, None
        self.assertEqual(process.wait(DEADLINE_S), 0)
        self.assert_all_once()


if __name__ == "__main__":
    unittest.main()
