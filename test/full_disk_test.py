#!/usr/bin/env python3
"""The disk of the data directory fills up while a pipeline runs, and then has room again: the
pipeline says what it waits for, goes on by itself, and nothing is lost or doubled.

The disk is a small tmpfs in a mount namespace of this test's own. MILLRACE_SEED replays the sizes.
"""

import json
import os
import random
import shutil
import subprocess
import time
import unittest

import mount_namespace
import page_server
from millrace import MillraceTest, by_name, wait_until

SEED = int(os.environ.get("MILLRACE_SEED", random.randrange(10_000)))
ITEMS_OF_PAGE = 300
MIB = 1 << 20

PIPELINE = """
name: parcels
sources:
  post:
    http: {url: "${env:POST_URL}", every: 0ms, page: {}}
    items: parcels
    schema: parcel.schema.json
    to: parcels
    select: SELECT id, page, note FROM post
topics:
  parcels: {key: id}
tables:
  post.parcels:
    primary_key: id
    from: SELECT * FROM parcels
    expect: {has_note: note <> ''}
"""

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "page": {"type": "integer"},
        "note": {"type": "string"},
    },
}


class Post:
    """Pages of parcels until `last_page` is set; their notes do not compress."""

    def __init__(self):
        self.last_page = None
        self.random = random.Random(SEED)

    def answer(self, query):
        page = int(query["page"])
        if self.last_page is not None and page > self.last_page:
            return b'{"parcels":[]}'
        notes = [self.random.randbytes(300).hex() for _ in range(ITEMS_OF_PAGE)]
        notes[0] = ""  # for the dead letters
        items = [{"id": f"{page}-{i}", "page": page, "note": n} for i, n in enumerate(notes)]
        return json.dumps({"parcels": items}).encode()


class FullDisk(MillraceTest):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.mount("size=8m")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.write("parcel.schema.json", json.dumps(SCHEMA))
        self.file = self.write("parcels.yaml", PIPELINE)

    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.disk], check=True)

    def resize(self, size_bytes):
        self.mount(f"remount,size={size_bytes}")

    def free_bytes(self):
        return shutil.disk_usage(self.disk).free

    def check_all(self, data, last_page):
        status = self.assert_balanced(data.status())
        table = by_name(status["tables"], "post.parcels")
        self.assertEqual(table["dead_letters"], last_page)
        counted = data.rows(
            "SELECT count(*) AS n, count(DISTINCT id) AS ids, max(page) AS pages FROM post.parcels"
        )
        rows = last_page * (ITEMS_OF_PAGE - 1)
        self.assertEqual(counted, [{"n": rows, "ids": rows, "pages": last_page}])
        counted = data.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM parcels")
        records = last_page * ITEMS_OF_PAGE
        self.assertEqual(counted, [{"n": records, "ids": records}])

    def node_errors(self, data):
        status = data.status()
        return [node["error"] for node in status["sources"] + status["tables"] if node["error"]]

    def test_fills_up_and_has_room_again(self):
        # Where it is full: in the first segment, in the second, or in the store's files.
        for size_mib in random.Random(SEED).sample(range(70, 200), 3):
            with self.subTest(size_mib=size_mib, seed=SEED):
                self.resize(size_mib * MIB)
                data = self.instance(f"disk/data-{size_mib}")
                post = Post()
                with page_server.serve(post.answer) as server:
                    data.start(self.file, POST_URL=server.url).wait_until_up()

                    def is_full():
                        errors = self.node_errors(data)
                        return any("No space left" in error for error in errors) and errors

                    for error in wait_until(is_full, "a node says that the disk is full"):
                        self.assertIn("make room on that disk", error)
                    # Whoever was going is done: nothing more comes in now.
                    before = len(server.requests)
                    self.resize(4_000 * MIB)
                    wait_until(lambda: not self.node_errors(data), "it goes on by itself")
                    wait_until(lambda: len(server.requests) > before + 50, "50 more pages")
                    post.last_page = int(server.requests[-1]["page"]) + 5
                    wait_until(
                        lambda: int(server.requests[-1]["page"]) > post.last_page, "the last page"
                    )
                    wait_until(
                        lambda: by_name(data.status()["tables"], "post.parcels")["waiting"] == 0,
                        "the table has caught up",
                    )
                    self.check_all(data, post.last_page)
                    data.stop()
                    self.check_all(data, post.last_page)
                shutil.rmtree(data.data_dir)

    def test_full_from_the_start(self):
        self.resize(4_096)
        (self.disk / "filler").write_bytes(b"x" * self.free_bytes())
        data = self.instance("disk/data", POST_URL="http://[::1]:9")
        answer = data.run("up", self.file, "--once", code=1)
        self.assertIn("No space left", answer.err)
        self.assertIn("disk/data", answer.err)

    def test_stops_in_time_while_full(self):
        self.resize(random.Random(SEED).randrange(70, 200) * MIB)
        data = self.instance("disk/data")
        post = Post()
        with page_server.serve(post.answer) as server:
            data.start(self.file, POST_URL=server.url).wait_until_up()
            wait_until(lambda: self.node_errors(data), f"the disk is full (seed {SEED})")
            began = time.monotonic()
            data.stop()
            self.assertLess(time.monotonic() - began, 6)
            self.resize(4_000 * MIB)
            post.last_page = int(server.requests[-1]["page"]) + 20
            data.up_once(self.file, POST_URL=server.url)
        self.check_all(data, post.last_page)

    def test_killed_while_full(self):
        self.resize(random.Random(SEED).randrange(70, 200) * MIB)
        data = self.instance("disk/data")
        post = Post()
        with page_server.serve(post.answer) as server:
            data.start(self.file, POST_URL=server.url).wait_until_up()
            wait_until(lambda: self.node_errors(data), f"the disk is full (seed {SEED})")
            data.kill()
            self.resize(4_000 * MIB)
            post.last_page = int(server.requests[-1]["page"]) + 20
            data.up_once(self.file, POST_URL=server.url)
        self.check_all(data, post.last_page)


if __name__ == "__main__":
    mount_namespace.main()
