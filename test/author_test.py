#!/usr/bin/env python3
"""The commands for whoever writes a pipeline file: test, infer, init."""

import gzip
import json
import os
import pty
import shutil
import subprocess
import unittest

import list_api
import page_server
from millrace import SOURCE, USERS, MillraceTest, binary, by_name

ORDERS = [
    {
        "orderId": f"A-{number}", "placedAt": f"2026-11-{number + 1:02}T10:00:00+01:00",
        "paid": number % 2 == 0, "total": number * 1.5, "note": None if number % 3 else "hurry",
        "customer": {
            "name": "Ünal ${env:HOME}", "address": {"zip": "01234" if number % 2 else 76100},
        },
        "lines": [{"sku": "x", "count": number}] * (number % 3), "order": number,
        "prices": {"2026-11-01": 1, "2026-11-02": 2.5},
    }
    for number in range(1, 13)
]  # fmt: skip


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

    def test_asks_no_api(self):
        with page_server.serve(lambda query: b'{"results": []}') as server:
            answer = self.millrace.run("test", self.file, RANDOMUSER_URL=server.url)
            self.assertIn("5 tests, all passed", answer.err)
            self.assertEqual(server.requests, [])
            self.millrace.up_once(self.file, RANDOMUSER_URL=server.url, RUN_FOR="1ms")
            self.assertTrue(server.requests)

    def test_without_tests_is_told(self):
        text = self.file.read_text()
        self.file.write_text(text[: text.index("\ntests:")] + "\n")
        self.assertIn("has no tests", self.millrace.run("test", self.file).err)


class Infer(MillraceTest):
    """millrace infer"""

    def setUp(self):
        super().setUp()
        self.millrace = self.instance()

    def test_prints_a_schema_and_tells_what_it_found(self):
        answer = self.millrace.run("infer", "sample://randomuser/api/?results=50&seed=a")
        self.assertIn("50 items at results", answer.err)
        self.assertIn("key login.uuid: a uuid, different in all 50 items", answer.err)
        self.assertIn("unsure: location.postcode: integer", answer.err)
        fields = json.loads(answer.out)["properties"]
        self.assertEqual(fields["login"]["properties"]["uuid"]["format"], "uuid")
        found = self.millrace.json("infer", "sample://randomuser/api/?results=50&seed=a")
        self.assertEqual(found["schema"]["properties"], fields)
        self.assertEqual(found["key"]["path"], ["login", "uuid"])

    def test_reads_files_of_several_forms(self):
        pages = sorted((SOURCE / "test/data/randomuser").glob("*.gz"))
        found = self.millrace.json("infer", *pages)
        self.assertEqual(found["path"], ["results"])
        self.assertGreater(found["items"], 100)
        lines = self.write("a.jsonl", '{"id": 1}\n{"id": "x"}\n')
        schema = json.loads(self.millrace.run("infer", lines).out)
        self.assertEqual(schema["properties"]["id"]["type"], ["integer", "string"])
        table = self.folder / "a.csv.gz"
        # Two members, as `cat a.gz b.gz` makes them.
        table.write_bytes(gzip.compress(b"id;zip\n1;01234\n") + gzip.compress(b"x;2\n"))
        schema = json.loads(self.millrace.run("infer", table).out)
        self.assertEqual(schema["properties"]["zip"], {"type": "string"})
        self.assertEqual(schema["properties"]["id"], {"type": "string"})

    def test_writes_a_pipeline_that_lint_likes_and_writes_over_nothing(self):
        file = self.write("orders.json", json.dumps(ORDERS))
        for name in ("users", "orders"):
            source = "sample://randomuser/api/" if name == "users" else file
            self.millrace.run("infer", source, "--pipeline", f"new/{name}.yaml")
            answer = self.millrace.run("lint", f"new/{name}.yaml")
            self.assertIn("no problems", answer.err)
            self.millrace.run("test", f"new/{name}.yaml")
            answer = self.millrace.run("infer", source, "--pipeline", f"new/{name}.yaml", code=1)
            self.assertIn("is there already", answer.err)

    def test_says_what_is_wrong_with_an_answer(self):
        for text in ("<html>", "[1, 2]", "", "[]", '{"results": [{"a": 1'):
            answer = self.millrace.run("infer", self.write("bad.json", text), code=1)
            self.assertIn("bad.json", answer.err)
        answer = self.millrace.run("infer", self.folder / "bad.json", "--items", "x", code=1)
        self.assertIn("bad.json", answer.err)


TOKEN = "tr0mbone-s3cret"


class Token(MillraceTest):
    """An API that wants to know who asks."""

    def setUp(self):
        super().setUp()
        self.millrace = self.instance(API_TOKEN=TOKEN)
        self.server = self.enterContext(list_api.serve(self.answer))

    @staticmethod
    def answer(request):
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            said = {"error": f"who is {request.headers.get('Authorization')}?"}
            return list_api.Response(said, status=401)
        return list_api.Response([{"id": 1, "mode": request.headers.get("X-Mode")}])

    def assert_said_nowhere(self, *answers):
        """The token is in no output, and in no file."""
        for answer in answers:
            self.assertNotIn(TOKEN, answer.out + answer.err)
        for path in self.folder.glob("**/*.*"):
            if path.is_file():
                self.assertNotIn(TOKEN.encode(), path.read_bytes(), path)

    def test_is_sent_and_stands_in_the_draft_as_a_placeholder(self):
        for name, variable in (("one", "secret"), ("two", "env")):
            bearer = f"Bearer ${{{variable}:API_TOKEN}}"
            self.millrace = self.instance(name, API_TOKEN=TOKEN)
            headers = ("--header", f"Authorization: {bearer}", "--header", "X-Mode:all")
            asked = self.millrace.run("infer", *headers, self.server.url, "--pipeline", "i.yaml")
            wrote = self.millrace.run("init", *headers, "--url", self.server.url, "--name", name,
                                      "--yes")  # fmt: skip
            for file in ("i.yaml", f"{name}.yaml"):
                text = (self.folder / file).read_text()
                self.assertIn(f'headers:\n        Authorization: "{bearer}"', text)
                self.assertIn('        X-Mode: "all"\n', text)
            self.millrace.up_once(f"{name}.yaml")
            rows = self.millrace.rows(f"SELECT * FROM {name}.items")
            self.assertEqual(rows, [{"id": 1, "mode": "all"}])
            self.assert_said_nowhere(asked, wrote)
            (self.folder / "i.yaml").unlink()
            (self.folder / "i.schema.json").unlink()

    def test_that_is_missing_or_wrong_is_asked_for(self):
        wrong = ("--header", "Authorization: ${env:API_TOKEN}")
        for command in (("infer",), ("init", "--yes", "--url")):
            for headers in ((), wrong):
                answer = self.millrace.run(*command, self.server.url, *headers, code=1)
                self.assertIn("--header 'Authorization: Bearer ${secret:NAME}'", answer.err)
                self.assertNotIn("check the source", answer.err)
                self.assert_said_nowhere(answer)

    def test_given_in_so_many_words_is_refused_unseen(self):
        for header, words in (
            (f"Authorization: Bearer {TOKEN}", "Authorization: this may be a secret"),
            (f"x-api-key: {TOKEN}", "write its name as ${secret:NAME}, in single quotes"),
            (f"Bearer {TOKEN}", "--header: a header is written 'Name: value'"),
            (f"Bearer {TOKEN}: x", "--header: a header is written 'Name: value'"),
            ("X-Key: ${secret:NOBODY}", "X-Key: secret NOBODY is not set"),
        ):
            answer = self.millrace.run("infer", self.server.url, "--header", header, code=1)
            self.assertIn(words, answer.err)
            self.assert_said_nowhere(answer)
        self.assertEqual(self.server.requests, [])


class Init(MillraceTest):
    """millrace init"""

    def setUp(self):
        super().setUp()
        self.millrace = self.instance()

    def fill(self, file, table):
        """Runs the pipeline once; the table's rows."""
        self.millrace.run("lint", file)
        self.millrace.run("test", file)
        self.millrace.up_once(file)
        status = self.assert_balanced(self.millrace.status())
        self.assertEqual(by_name(status["tables"], table)["dead_letters"], 0)
        self.assertEqual(status["sources"][0]["dead_letters"], 0)
        return self.millrace.rows(f"SELECT * FROM {table}")

    def test_by_itself_makes_the_sample_run(self):
        answer = self.millrace.run("init", "--yes")
        self.assertIn("millrace up randomuser.yaml --once", answer.out)
        rows = self.fill("randomuser.yaml", "randomuser.items")
        self.assertEqual(len(rows), 100)
        answer = self.millrace.run("init", "--yes", code=1)
        self.assertIn("randomuser.yaml is there already", answer.err)

    def test_of_a_local_api(self):
        with page_server.serve(lambda query: json.dumps({"orders": ORDERS}).encode()) as server:
            shop = ("--dir", "shop", "--name", "shop")
            self.millrace.run("init", "--url", server.url, *shop, "--yes")
            rows = self.fill("shop/shop.yaml", "shop.orders")
        self.assertEqual(len(rows), len(ORDERS))
        rows.sort(key=lambda row: row["placed_at"])
        self.assertEqual(rows[0]["placed_at"], "2026-11-02T09:00:00Z")
        self.assertEqual([row["address_zip"] for row in rows[:2]], ["01234", "76100"])
        self.assertEqual(rows[1]["lines"], [{"sku": "x", "count": 2}] * 2)
        self.assertEqual(rows[0]["id"], "A-1")
        self.assertEqual(rows[0]["order_"], 1)

    def test_of_lines_and_tables_runs_as_it_is(self):
        lines = b'\xef\xbb\xbf{"id": 1, "a": "x"}\n{"id": 2, "a": "y"}\n'
        table = b'\xef\xbb\xbf"id","a"\n"1","x"\n"2","y"\n'
        answers = [
            ("l1.jsonl", lines, "application/octet-stream", "    format: jsonl  # each line"),
            ("l2", lines, "text/plain", "    format: jsonl  # each line"),
            ("l3", lines, "application/x-ndjson", None),
            ("t1", table, "text/csv", None),
            ("t2.csv?all=1", table, "text/plain", "    format: csv  # each line"),
            ("j1", b'\xef\xbb\xbf[{"id":1,"a":"x"},{"id":2,"a":"y"}]', "application/json", None),
        ]
        answer = {"/" + path.partition("?")[0]: (body, kind) for path, body, kind, _ in answers}
        with list_api.serve(lambda request: list_api.Response(*answer[request.path])) as server:
            for path, _, _, told in answers:
                with self.subTest(path):
                    name = path[:2]
                    self.millrace = self.instance(name)
                    url = f"{server.url}/{path}"
                    self.millrace.run("init", "--url", url, "--name", name, "--yes")
                    text = (self.folder / f"{name}.yaml").read_text()
                    self.assertIn(told or "http:", text)
                    self.assertEqual("format:" in text, told is not None)
                    rows = self.fill(f"{name}.yaml", f"{name}.items")
                    rows.sort(key=lambda row: row["id"])
                    self.assertEqual(rows, [{"id": 1, "a": "x"}, {"id": 2, "a": "y"}])

    def test_without_a_key_takes_a_digest(self):
        items = [{"a": 1, "b": None}, {"a": 1, "b": "x"}, {"a": 2, "b": "x"}]
        with page_server.serve(lambda query: json.dumps(items).encode()) as server:
            self.millrace.run("init", "--url", server.url, "--name", "things", "--yes")
            rows = self.fill("things.yaml", "things.items")
        self.assertEqual(len(rows), 3)

    def test_takes_answers_from_stdin(self):
        arguments = [binary(), "init", "--dir", str(self.folder)]
        for answers, code in (("\n\n\n", 0), ("\nBad Name\n", 1), ("\nother\nemial\n", 1)):
            done = subprocess.run(arguments, input=answers, capture_output=True, text=True,
                                  env=self.millrace.environment, timeout=60)  # fmt: skip
            self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("did you mean 'email'?", done.stderr)
        self.assertEqual(
            sorted(path.name for path in self.folder.glob("*.*")),
            ["randomuser.schema.json", "randomuser.yaml"],
        )

    def test_asks_again_at_a_terminal(self):
        terminal, end = pty.openpty()
        process = subprocess.Popen(
            [binary(), "init"], cwd=self.folder, stdin=end, stdout=end, stderr=end,
            env=self.millrace.environment | {"TERM": "xterm"}, start_new_session=True,
        )  # fmt: skip
        os.close(end)
        shown = ""

        def see(words):
            nonlocal shown
            while words not in shown:
                try:
                    piece = os.read(terminal, 4096).decode(errors="replace")
                except OSError:
                    piece = ""
                self.assertTrue(piece, shown)
                shown += piece
            shown = shown[shown.index(words) + len(words) :]

        def answer(text):
            os.write(terminal, (text + "\n").encode())

        see("Address of an API")
        answer("sample://nobody/")
        see("millrace:")
        see("Address of an API")
        answer("sample://randomuser/api/?results=3&seed=x")
        see("unsure: only 3 items")
        see("Name of the pipeline")
        answer("My People")
        see("a name is of")
        see("Name of the pipeline")
        answer("people")
        see("login.uuid")
        answer("email")
        see("millrace up people.yaml --once")
        self.assertEqual(process.wait(60), 0)
        os.close(terminal)
        rows = self.fill("people.yaml", "people.items")
        self.assertEqual(len(rows), 3)
        self.assertIn("@", rows[0]["id"])


if __name__ == "__main__":
    unittest.main()
