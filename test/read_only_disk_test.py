#!/usr/bin/env python3
"""A data directory on a disk that cannot be written: up is refused, looking goes on, doctor finds
it."""

import json
import subprocess

import mount_namespace
from file_mistakes_test import PIPELINE, SCHEMA
from millrace import MillraceTest, by_name


class ReadOnlyDisk(MillraceTest):
    def setUp(self):
        super().setUp()
        self.write("person.schema.json", json.dumps(SCHEMA))
        self.file = self.write("people.yaml", PIPELINE)
        self.millrace = self.instance()
        self.millrace.up_once(self.file)
        data = self.millrace.data_dir
        subprocess.run(["mount", "--bind", data, data], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", data], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", data], check=True)

    def test_up_is_refused(self):
        refused = self.millrace.run("up", self.file, code=1).said()
        self.assertIn("Read-only file system", refused)
        self.assertIn(str(self.millrace.data_dir), refused)
        self.assertIn("choose a folder on a disk that can be written", refused)

    def test_looking_needs_no_writing(self):
        table = by_name(self.assert_balanced(self.millrace.status())["tables"], "app.people")
        self.assertEqual(table["written"], 20)
        (row,) = self.millrace.rows("SELECT count(*) AS n FROM app.people")
        self.assertEqual(row["n"], 20)

    def test_doctor_finds_it(self):
        findings = self.millrace.run("doctor", "-o", "json", code=1).json()["findings"]
        bad = [one for one in findings if one["verdict"] == "error"]
        self.assertIn("folder", [one["subject"] for one in bad])
        self.assertEqual({one["part"] for one in bad}, {"machine", "data directory"})


if __name__ == "__main__":
    mount_namespace.main()
