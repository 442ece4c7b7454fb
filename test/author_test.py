#!/usr/bin/env python3
"""The commands for whoever writes a pipeline file: test."""

import json
import shutil
import unittest

from millrace import USERS, MillraceTest


class Tests(MillraceTest):
    """millrace test"""

    def setUp(self):
        super().setUp()
        for file in USERS.glob("*.*"):
            shutil.copy(file, self.folder)
        self.millrace = self.instance()
        self.file = self.folder / "users.yaml"

    def change(self, old, new):
        text = self.file.read_text()
        self.assertIn(old, text)
        self.file.write_text(text.replace(old, new))

    def test_of_the_example_pass_and_leave_nothing_behind(self):
        answer = self.millrace.run("test", self.file)
        self.assertEqual(answer.out.count("✓"), 5, answer)
        self.assertIn("5 tests, all passed", answer.err)
        self.assertFalse(self.millrace.data_dir.exists())
        answer = self.millrace.json("test", self.file)
        self.assertTrue(answer["ok"])
        self.assertLess(sum(test["ms"] for test in answer["tests"]), 100)

    def test_that_fails_shows_row_and_reason(self):
        self.change('post_code: "1010"', 'post_code: "1011"')
        self.change("[{rule: has_email}]", "[]")
        answer = self.millrace.run("test", code=1)
        self.assertIn("5 tests, 2 failed", answer.err)
        lines = [line.split() for line in answer.out.splitlines()]
        self.assertIn(["✗", "post_code", '"1010"', '"1011"'], lines, answer)
        self.assertIn(["+", "rule", '"has_email"'], lines, answer)
        self.assertEqual(answer.out.count("✓"), 3, answer)

        failed = json.loads(self.millrace.run("test", "-o", "json", code=1).out)
        self.assertFalse(failed["ok"])
        column = next(
            column for column in failed["tests"][0]["differences"][0]["columns"]
            if column["column"] == "post_code"
        )  # fmt: skip
        self.assertEqual(column, {"column": "post_code", "want": "1011", "got": "1010"})

    def test_can_be_chosen_by_name(self):
        self.change('post_code: "1010"', 'post_code: "1011"')
        self.millrace.run("test", self.file, "postcode_may_be_text")
        self.millrace.run("test", "postcode_may_be_a_number", "postcode_may_be_text", code=1)
        answer = self.millrace.run("test", "postcode_may_be_txt", code=1)
        self.assertIn("did you mean 'postcode_may_be_text'?", answer.err)

    def test_of_a_wrong_file_says_where(self):
        self.change("first_name: Anna", "frist_name: Anna")
        for command in ("test", "lint"):
            answer = self.millrace.run(command, self.file, code=1)
            words = r"users.yaml:\d+:\d+: error: .* no column 'frist_name'; did you mean"
            self.assertRegex(answer.out + answer.err, words)

    def test_without_tests_is_told(self):
        text = self.file.read_text()
        self.file.write_text(text[: text.index("\ntests:")] + "\n")
        self.assertIn("has no tests", self.millrace.run("test", self.file).err)


if __name__ == "__main__":
    unittest.main()
