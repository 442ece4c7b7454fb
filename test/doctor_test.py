#!/usr/bin/env python3
"""What is damaged is found with its place, and what mends it leaves every record accounted for."""

import json
import os
import resource
import signal
import subprocess
import unittest
import uuid

import page_server
from millrace import DEADLINE_S, MillraceTest, binary, by_name, wait_until

ITEMS_OF_PAGE = 500
PAGES = 8

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
    select: SELECT id, number, amount, note FROM shop
topics:
  orders: {key: id, partitions: %(partitions)s}
tables:
  shop.orders:
    primary_key: id
    from: SELECT * FROM orders WHERE note <> 'quiet'
    expect:
      positive: amount >= 0
"""

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "number": {"type": "integer"},
        "amount": {"type": "integer"},
        "note": {"type": "string"},
    },
}


def order(number):
    kind = number % 10
    return {
        "id": str(uuid.UUID(int=number)), "number": number,
        "amount": "ten" if kind == 1 else -number if kind == 2 else number,
        "note": "quiet" if kind == 3 else "ok",
    }  # fmt: skip


ORDERS = [order(number) for number in range(PAGES * ITEMS_OF_PAGE)]
TENTH = len(ORDERS) // 10


def answer(query):
    first = (int(query["page"]) - 1) * ITEMS_OF_PAGE
    return json.dumps({"orders": ORDERS[first : first + ITEMS_OF_PAGE]}).encode()


def flip(path, position):
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 0x10]))


class DoctorTest(MillraceTest):
    partitions = 1

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(page_server.serve(answer))
        self.millrace = self.instance(SHOP_URL=self.server.url)
        self.write("order.schema.json", json.dumps(SCHEMA))
        self.file = self.write("orders.yaml", PIPELINE % {"partitions": self.partitions})

    def doctor(self, code=0):
        """What it found that is not well, and that both outputs say the same."""
        found = self.millrace.run("doctor", "-o", "json", code=code).json()
        text = self.millrace.run("doctor", code=code).out
        self.assertNotIn("\x1b", text)
        bad = [one for one in found["findings"] if one["verdict"] == "error"]
        self.assertEqual(len(bad), found["errors"])
        self.assertEqual(bool(bad), code == 1)
        for one in bad:
            self.assertIn(f"error    {one['subject']}", text)
            for mend in one["mends"]:
                self.assertIn(mend["command"], text)
        return found["findings"], bad

    def one_bad(self):
        _, bad = self.doctor(code=1)
        self.assertEqual(len(bad), 1, bad)
        return bad[0]

    def mend(self, finding, command):
        """Runs what the finding says; `command` is how it begins."""
        (mend,) = [one for one in finding["mends"] if f" {command}" in one["command"]]
        arguments = mend["command"].split()[1:]
        before = self.millrace.run(*arguments, code=1)
        self.assertIn("--yes", before.err)
        return self.millrace.run(*arguments, "--yes")

    def once(self):
        self.millrace.up_once(self.file)

    def segment(self, topic="orders", partition=0):
        folder = self.millrace.data_dir / "log" / topic / str(partition)
        (segment,) = folder.glob("*.segment")
        return segment

    def data_end(self, segment):
        return len(segment.read_bytes().rstrip(b"\0"))

    def assert_all_is_there(self):
        """Each order is once in the topic, and in the table or accounted for."""
        status = self.assert_balanced(self.millrace.status())
        source = by_name(status["sources"], "shop")
        self.assertEqual((source["items"], source["dead_letters"]), (len(ORDERS), TENTH))
        table = by_name(status["tables"], "shop.orders")
        self.assertEqual((table["records_in"], table["waiting"]), (len(ORDERS) - TENTH, 0))
        self.assertEqual((table["dead_letters"], table["removed"]), (TENTH, 0))
        for node in (source, table):
            self.assertEqual(len(self.millrace.dead_letters(node["name"])), node["dead_letters"])
        (records,) = self.millrace.rows("SELECT count(*) AS n, count(DISTINCT id) AS d FROM orders")
        self.assertEqual(records, {"n": len(ORDERS) - TENTH, "d": len(ORDERS) - TENTH})
        wanted = [made["number"] for made in ORDERS if made["number"] % 10 not in (1, 2, 3)]
        rows = self.millrace.rows("SELECT number FROM shop.orders ORDER BY number")
        self.assertEqual([row["number"] for row in rows], wanted)
        return table


class Cuts:
    """What is the same whether a page goes to one partition or to several."""

    def test_a_bit_in_a_topic(self):
        self.once()
        self.assert_all_is_there()
        self.doctor()
        segment = self.segment(partition=self.partitions - 1)
        position = self.data_end(segment) * 9 // 16  # in the fifth page
        flip(segment, position)
        reading = self.millrace.run("sql", "SELECT count(*) FROM orders", code=1)
        self.assertIn("millrace doctor", reading.err)
        bad = self.one_bad()
        self.assertEqual(bad["subject"], f"orders/{self.partitions - 1}")
        self.assertIn(str(segment), bad["text"])
        self.assertIn("CRC", bad["text"])
        self.assertLessEqual(int(bad["text"].split("at byte ")[1].split(":")[0]), position)
        mended = self.mend(bad, "doctor --truncate")
        self.assertIn("source shop goes back to page 4", mended.err)
        self.doctor()
        status = self.assert_balanced(self.millrace.status())
        self.assertEqual(by_name(status["sources"], "shop")["pages"], 4)
        asked_before = len(self.server.requests)
        self.once()
        self.assertEqual(self.server.requests[asked_before]["page"], "5")
        self.assert_all_is_there()
        self.doctor()

    def test_a_topic_cut_by_hand(self):
        self.once()
        for place, hint in (
            ("orders/0/1", "begins at offset 0"),
            ("orders/0/99999", "has offsets"),
            ("orders/9/0", "partitions"),
            ("oders/0/0", "did you mean 'orders'"),
            ("orders", "TOPIC/PARTITION/OFFSET"),
            ("shop.dead_letters/0/0", "dead letters of a source"),
        ):
            refused = self.millrace.run("doctor", "--truncate", place, "--yes", code=1)
            self.assertIn(hint, refused.err)
        self.assert_all_is_there()
        self.millrace.run("doctor", "--truncate", "orders/0/0", "--yes")
        self.doctor()
        self.assertEqual(self.assert_balanced(self.millrace.status())["sources"], [])
        self.once()
        self.assert_all_is_there()

    def test_redriven_dead_letters_of_pages_that_are_cut(self):
        self.once()
        letters = self.millrace.dead_letters("shop")[:3]
        places = []  # where the page of each redrive begins
        for letter in letters:
            topic = self.millrace.json("topic", "describe", "orders")
            ends = {one["partition"]: one["end_offset"] for one in topic["partitions"]}
            value = self.write("edited.json", json.dumps(json.loads(letter["raw"]) | {"amount": 7}))
            self.millrace.run("dlq", "redrive", letter["address"], "--value", value)
            topic = self.millrace.json("topic", "describe", "orders")
            (grown,) = [
                one["partition"]
                for one in topic["partitions"]
                if one["end_offset"] > ends[one["partition"]]
            ]
            places.append(f"orders/{grown}/{ends[grown]}")
        # Which of the three the page redrove that would stay is not known.
        refused = self.millrace.run("doctor", "--truncate", places[1], "--yes", code=1)
        self.assertIn("which is not known", refused.err)
        for place, left in ((places[2], 2), (places[0], 0)):
            self.millrace.run("doctor", "--truncate", place, "--yes")
            self.doctor()
            source = by_name(self.assert_balanced(self.millrace.status())["sources"], "shop")
            self.assertEqual(source["redriven"], left)
            self.assertEqual(len(self.millrace.dead_letters("shop")), TENTH - left)
        self.once()
        self.assert_all_is_there()

    def test_dead_letters_of_a_table_that_are_cut(self):
        self.once()
        self.millrace.run("doctor", "--truncate", "shop.orders.dead_letters/0/0", "--yes")
        self.doctor()
        status = self.assert_balanced(self.millrace.status())
        table = by_name(status["tables"], "shop.orders")
        self.assertEqual(len(self.millrace.dead_letters("shop.orders")), table["dead_letters"])
        self.assertEqual(table["dead_letters"] + table["removed"], TENTH)
        self.assertGreater(table["removed"], 0)

    def test_a_segment_that_is_too_short(self):
        self.once()
        segment = self.segment()
        os.truncate(segment, self.data_end(segment) // 2)
        refused = self.millrace.run("up", self.file, "--once", code=1)
        self.assertIn("millrace doctor", refused.err)
        self.mend(self.one_bad(), "doctor --truncate")
        self.once()
        self.assert_all_is_there()

    def test_a_table_rebuilt(self):
        self.once()
        table = self.assert_all_is_there()
        letters = self.millrace.dead_letters("shop.orders")
        asked = self.millrace.run("table", "rebuild", "shop.orders", code=1)
        self.assertIn("--yes", asked.err)
        self.assert_all_is_there()
        for arguments, hint in (
            (["shop.order", "--yes"], "did you mean 'shop.orders'"),
            (["--yes"], "--all"),
            (["shop.orders", "--all", "--yes"], "--all"),
        ):
            refused = self.millrace.run("table", "rebuild", *arguments, code=1)
            self.assertIn(hint, refused.err)
        self.millrace.run("table", "rebuild", "shop.orders", "--yes")
        self.assertEqual(self.millrace.rows("SELECT count(*) AS n FROM shop.orders"), [{"n": 0}])
        status = self.assert_balanced(self.millrace.status())
        emptied = by_name(status["tables"], "shop.orders")
        self.assertEqual(emptied["waiting"], table["records_in"])
        self.assertEqual((emptied["written"], emptied["dead_letters"]), (0, 0))
        self.doctor()
        self.once()
        self.assertEqual(self.assert_all_is_there() | {"bytes": 0}, table | {"bytes": 0})
        self.assertEqual(self.millrace.dead_letters("shop.orders"), letters)
        self.doctor()


class OnePartition(Cuts, DoctorTest):
    def test_a_torn_tail_is_harmless(self):
        self.once()
        segment = self.segment()
        end = self.data_end(segment)
        with segment.open("r+b") as file:
            file.seek(end)
            file.write(b"half a batch")
        findings, _ = self.doctor()
        (torn,) = [one for one in findings if one["subject"] == "orders/0"]
        self.assertEqual(torn["verdict"], "warning")
        self.assertIn("the next start cuts them", torn["text"])
        self.once()
        findings, _ = self.doctor()
        self.assertNotIn("orders/0", [one["subject"] for one in findings])

    def test_a_bit_in_an_index(self):
        self.once()
        index = self.segment().with_suffix(".index")
        # The last row says where the segment ends; without its CRC no row is believed. Of the
        # segment that is written to that is a row half written, which the next start makes anew.
        whole = index.read_bytes()
        flip(index, len(whole) - 24)
        findings, _ = self.doctor()
        self.assertNotIn("orders/0", [one["subject"] for one in findings])
        self.once()
        self.assertEqual(index.read_bytes(), whole)
        self.assert_all_is_there()

    def test_a_table_that_meets_a_bit_waits_and_the_others_go_on(self):
        self.once()
        segment = self.segment()
        flip(segment, self.data_end(segment) * 9 // 16)
        copy = "  shop.copy: {primary_key: id, from: SELECT * FROM orders}\n"
        self.file.write_text(self.file.read_text() + copy)
        self.millrace.start(self.file).wait_until_up()
        table = lambda name: by_name(self.millrace.status()["tables"], name)
        waits = lambda: table("shop.copy")["state"] == "waiting" and table("shop.copy")
        copied = wait_until(waits, "the new table waits")
        for words in (str(segment), "at byte", "'millrace doctor'"):
            self.assertIn(words, copied["error"])
        written = table("shop.orders")["written"]
        more = [order(number) for number in range(len(ORDERS), len(ORDERS) + ITEMS_OF_PAGE)]
        page = {str(PAGES + 1): json.dumps({"orders": more}).encode()}
        self.server.answer = lambda query: page.get(query["page"]) or answer(query)
        wait_until(
            lambda: table("shop.orders")["written"] == written + ITEMS_OF_PAGE * 7 // 10,
            "the other table goes on",
        )
        self.assertEqual(table("shop.orders")["state"], "running")
        self.assertEqual(table("shop.copy")["written"], copied["written"])
        self.millrace.stop()

    def test_a_rebuilt_table_judges_again_what_was_redriven(self):
        self.once()
        self.file.write_text(self.file.read_text().replace("amount >= 0", "true"))
        self.millrace.run("dlq", "redrive", "--node", "shop.orders")
        self.millrace.run("table", "rebuild", "shop.orders", "--yes")
        self.once()
        table = by_name(self.assert_balanced(self.millrace.status())["tables"], "shop.orders")
        self.assertEqual((table["dead_letters"], table["written"]), (0, 8 * TENTH))
        self.doctor()

    def test_a_bit_in_the_store(self):
        self.once()
        for file in (self.millrace.data_dir / "store").glob("*.sst"):
            flip(file, 100)
        reading = self.millrace.run("sql", "SELECT * FROM shop.orders", code=1)
        self.assertIn(".sst", reading.err)
        self.assertIn("'millrace doctor' says what can be mended", reading.err)
        bad = self.one_bad()
        self.assertIn(".sst", bad["text"])
        self.mend(bad, "table rebuild --all")
        self.doctor()
        self.once()
        self.assert_all_is_there()
        self.doctor()

    def test_a_pipeline_that_runs(self):
        self.millrace.start(self.file).wait_until_up()
        findings, _ = self.doctor()
        (use,) = [one for one in findings if one["subject"] == "use"]
        self.assertIn(f"process {self.millrace.process.pid}", use["text"])
        self.assertIn("skipped", [one["verdict"] for one in findings])
        for command in (["doctor", "--truncate", "orders/0/0"], ["table", "rebuild", "--all"]):
            refused = self.millrace.run(*command, "--yes", code=1)
            self.assertIn(f"in use by process {self.millrace.process.pid}", refused.err)
        self.millrace.stop()
        self.doctor()

    def test_after_a_kill(self):
        self.millrace.start(self.file).wait_until_up()
        self.millrace.end(signal.SIGKILL)
        self.doctor()

    def test_no_data_directory(self):
        findings, _ = self.doctor()
        self.assertIn("millrace up", findings[-1]["text"])
        self.assertFalse(self.millrace.data_dir.exists())
        for command in (["doctor", "--truncate", "orders/0/0"], ["table", "rebuild", "--all"]):
            self.assertIn("there is no data", self.millrace.run(*command, code=1).err)
        self.assertFalse(self.millrace.data_dir.exists())

    def test_a_newer_version(self):
        self.once()
        (self.millrace.data_dir / "format").write_text("millrace data directory, format 2\n")
        self.assertIn("newer version", self.one_bad()["text"])
        self.assertIn("newer version", self.millrace.run("up", self.file, code=1).err)

    def test_a_folder_that_others_may_read(self):
        self.once()
        self.millrace.data_dir.chmod(0o755)
        findings, _ = self.doctor()
        (folder,) = [one for one in findings if one["subject"] == "folder"]
        self.assertEqual(folder["verdict"], "warning")
        self.assertIn("0755", folder["text"])

    def test_a_low_limit_of_open_files(self):
        self.once()
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        found = subprocess.run(
            [binary(), "doctor", "-o", "json"], env=self.millrace.environment, preexec_fn=few,
            capture_output=True, timeout=DEADLINE_S,
        )  # fmt: skip
        findings = json.loads(found.stdout)["findings"]
        (files,) = [one for one in findings if one["subject"] == "open files"]
        self.assertEqual(files["verdict"], "warning")
        self.assertRegex(files["text"], r"^at most 100: .*ulimit -n")


class ThreePartitions(Cuts, DoctorTest):
    partitions = 3

    def test_bits_in_several_partitions(self):
        self.once()
        for partition in range(self.partitions):
            segment = self.segment(partition=partition)
            flip(segment, self.data_end(segment) * (partition + 3) // 8)
            flip(segment, self.data_end(segment) * (partition + 5) // 8)
        _, bad = self.doctor(code=1)
        self.assertEqual(len(bad), 2 * self.partitions)
        # A page is in all partitions or in none, so the first cut goes through all of them.
        self.mend(bad[0], "doctor --truncate")
        self.doctor()
        self.once()
        self.assert_all_is_there()


if __name__ == "__main__":
    unittest.main()
