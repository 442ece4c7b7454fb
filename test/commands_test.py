#!/usr/bin/env python3
"""Every command, where a pipeline runs and where none does: answers, exit codes, streams."""

import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import threading
import time
import unittest

import page_server
import random_users
from millrace import DEADLINE_S, SOURCE, USERS, MillraceTest, binary, by_name, wait_until

TABLE = "spark_streams.created_users"
TOPIC = "users_created"
SOURCE_NAME = "random_users"
USERS_SEEN = 200
UNKNOWN_EMAIL = "nobody"


def example(**changes):
    """The example's text with some of its strings replaced."""
    text = (USERS / "users.yaml").read_text()
    for old, new in changes.values():
        assert text.count(old) == 1, f"the example has changed: no '{old}'"
        text = text.replace(old, new)
    return text


class Commands(MillraceTest):
    """A page of recorded users for every request, one of them without an email."""

    def setUp(self):
        super().setUp()
        self.users = [dict(user) for user in random_users.users(1)[:USERS_SEEN]]
        self.users[7]["email"] = UNKNOWN_EMAIL
        self.server = self.enterContext(page_server.serve(self.answer))
        self.millrace = self.instance(RANDOMUSER_URL=self.server.url)
        self.file = USERS / "users.yaml"

    def answer(self, query):
        return json.dumps({"results": self.users}).encode()

    def once(self):
        return self.millrace.up_once(self.file, RUN_FOR="0s")

    def start(self, every="1h"):
        """Runs the example; returns when its first page is in the table."""
        self.millrace.start(self.file, EVERY=every, RUN_FOR="1h").wait_until_up()
        wait_until(self.has_first_page, "the first page is in the table")

    def has_first_page(self):
        table = by_name(self.millrace.status()["tables"], TABLE)
        return table["records_in"] >= USERS_SEEN and table["waiting"] == 0

    def at_rest_and_running(self):
        """Runs what follows twice: the answers must be the same."""
        self.start()
        with self.subTest("running"):
            yield
        self.millrace.stop()
        with self.subTest("at rest"):
            yield

    def assert_output(self, answer, out=True, err=False):
        """What was asked for on stdout, everything else on stderr, no colours."""
        self.assertEqual(bool(answer.out), out, answer)
        self.assertEqual(bool(answer.err), err, answer)
        self.assertNotIn("\x1b", answer.out + answer.err)

    def test_version(self):
        answer = self.millrace.run("version")
        self.assertRegex(answer.out, r"^millrace \d+\.\d+\.\d+\n$")
        self.assert_output(answer)
        version = self.millrace.json("version")["version"]
        self.assertEqual(answer.out, f"millrace {version}\n")

    def test_usage(self):
        for arguments, hint in (
            (["stauts"], "did you mean 'status'"),
            (["sql"], "SQL"),
            (["topic"], "list"),
            (["topic", "lst"], "did you mean 'list'"),
            (["status", "--ouput", "json"], "did you mean '--output'"),
            (["status", "-o", "xml"], "xml"),
            (["status", "-o", "csv"], "csv"),
            (["topic", "consume", TOPIC, "-n", "many"], "many"),
            (["topic", "consume", TOPIC, "--offset", "1", "--from-start"], "--from-start"),
            (["dlq", "show"], "ADDRESS"),
        ):
            with self.subTest(arguments):
                answer = self.millrace.run(*arguments, code=2)
                self.assertIn(hint, answer.err)
                self.assert_output(answer, out=False, err=True)
        for arguments in (["--help"], ["sql", "--help"], ["topic", "consume", "--help"]):
            answer = self.millrace.run(*arguments)
            self.assertIn("--data-dir", answer.out)
            self.assert_output(answer)

    def test_no_data_directory(self):
        for arguments in (["status"], ["sql", "SELECT 1"], ["topic", "list"], ["dlq", "list"]):
            answer = self.millrace.run(*arguments, code=1)
            self.assertIn("there is no data in", answer.err)
            self.assertIn("millrace up", answer.err)
            self.assert_output(answer, out=False, err=True)
        self.assertFalse(self.millrace.data_dir.exists())

    def test_up_once(self):
        answer = self.once()
        self.assertIn("every record is accounted for", answer.out)
        for line in answer.err.splitlines():
            json.loads(line)  # logs are JSON lines where stderr is no terminal
        status = self.millrace.json("up", self.file, "--once", RUN_FOR="0s")
        self.assert_balanced(status)
        self.assertEqual(by_name(status["tables"], TABLE)["records_in"], 2 * USERS_SEEN)
        self.assertNotIn("\x1b", answer.out + answer.err)

    def test_up_finds_the_only_pipeline_file(self):
        shutil.copy(self.file, self.folder)
        shutil.copy(USERS / "randomuser.schema.json", self.folder)
        self.write("compose.yaml", "services: {}\n")
        self.millrace.run("up", "--once", RUN_FOR="0s")
        self.write("other.yaml", self.file.read_text())
        answer = self.millrace.run("up", "--once", code=1)
        self.assertIn("other.yaml", answer.err)
        answer = self.millrace.run("up", "missing.yaml", "--once", code=1)
        self.assertIn("missing.yaml", answer.err)

    def test_status(self):
        for _ in self.at_rest_and_running():
            status = self.assert_balanced(self.millrace.status())
            source = by_name(status["sources"], SOURCE_NAME)
            table = by_name(status["tables"], TABLE)
            self.assertEqual((source["items"], source["topic"]), (USERS_SEEN, TOPIC))
            self.assertEqual((table["written"], table["dead_letters"]), (USERS_SEEN - 1, 1))
            running = self.millrace.process is not None
            self.assertEqual(status["running"], running)
            states = {node["state"] for node in (source, table)}
            self.assertEqual(states, {"running" if running else "at rest"})
            answer = self.millrace.run("status")
            self.assertIn(TABLE, answer.out)
            self.assert_output(answer)

    def test_sql(self):
        for _ in self.at_rest_and_running():
            self.assertEqual(
                self.millrace.rows(f"SELECT count(*) AS n FROM {TABLE}"), [{"n": USERS_SEEN - 1}]
            )
            join = f"SELECT count(*) AS n FROM {TABLE} t RIGHT JOIN {TOPIC} r USING (id)"
            self.assertEqual(self.millrace.rows(join), [{"n": USERS_SEEN}])
            missing = f"SELECT r.email FROM {TOPIC} r ANTI JOIN {TABLE} USING (id)"
            self.assertEqual(self.millrace.rows(missing), [{"email": UNKNOWN_EMAIL}])
            first = random_users.row_of(self.users[0])
            where = f"SELECT * FROM {TABLE} WHERE id = '{first['id']}'"
            self.assertEqual(self.millrace.rows(where), [first])
            answer = self.millrace.run("sql", where)
            self.assertIn(first["address"], answer.out)
            self.assert_output(answer)
            answer = self.millrace.run(
                "sql", "SELECT 1 AS one, 'a,b' AS two, NULL AS three", "-o", "csv"
            )
            self.assertEqual(answer.out, 'one,two,three\n1,"a,b",\n')

    def test_sql_errors(self):
        for _ in self.at_rest_and_running():
            for sql, hint in (
                (f"SELECT emial FROM {TABLE}", "email"),
                ("SELECT * FROM users_craeted", "users_created"),
                ("SELEC 1", "SELEC"),
                ("SELECT CAST('a' AS INTEGER)", "Could not convert"),
                ("SELECT CAST(chr(27) || '[2J' AS INTEGER)", r"'\x1b[2J'"),
            ):
                for output in ("text", "json"):
                    answer = self.millrace.run("sql", sql, "-o", output, code=1)
                    self.assertIn(hint, answer.err)
                    self.assert_output(answer, out=False, err=True)
            for sql in (
                f"DELETE FROM {TABLE}",
                f"CREATE TABLE {TABLE} (id INTEGER)",
                f"COPY {TABLE} TO '{self.folder}/stolen.csv'",
                "SELECT * FROM read_text('/etc/passwd')",
            ):
                answer = self.millrace.run("sql", sql, code=1)
                self.assert_output(answer, out=False, err=True)
            self.assertFalse((self.folder / "stolen.csv").exists())

    def test_an_answer_that_is_not_whole_fails(self):
        self.once()
        answer = self.millrace.run("sql", "SELECT 1 FROM range(1000001)", "-o", "csv", code=1)
        self.assertIn("cut after 1,000,000 rows", answer.err)
        self.assertEqual(answer.out.count("\n"), 1_000_001)

    def test_topics(self):
        for _ in self.at_rest_and_running():
            topics = self.millrace.json("topic", "list")
            self.assertEqual(by_name(topics, TOPIC)["records"], USERS_SEEN)
            self.assertEqual(by_name(topics, f"{TABLE}.dead_letters")["records"], 1)
            answer = self.millrace.run("topic", "list")
            self.assertIn(TOPIC, answer.out)
            self.assert_output(answer)
            described = self.millrace.json("topic", "describe", TOPIC)
            columns = [column["name"] for column in described["columns"]]
            self.assertEqual(columns, random_users.COLUMNS)
            self.assertEqual(described["columns"][0]["type"], "UUID")
            self.assertEqual(described["key"], "id")
            (partition,) = described["partitions"]
            self.assertEqual((partition["start_offset"], partition["end_offset"]), (0, USERS_SEEN))
            answer = self.millrace.run("topic", "describe", TOPIC)
            self.assertIn("post_code", answer.out)
            self.assert_output(answer)
            answer = self.millrace.run("topic", "describe", "users_craeted", code=1)
            self.assertIn("did you mean 'users_created'", answer.err)
            self.assert_output(answer, out=False, err=True)

    def consumed(self, *arguments):
        """The offsets of the records that consume prints."""
        answer = self.millrace.run("topic", "consume", TOPIC, "-o", "json", *arguments)
        return [record["offset"] for record in answer.json_lines()]

    def test_consume(self):
        everything = list(range(USERS_SEEN))
        for _ in self.at_rest_and_running():
            self.assertEqual(self.consumed(), everything[-10:])
            self.assertEqual(self.consumed("-n", "3"), everything[-3:])
            self.assertEqual(self.consumed("--from-start"), everything)
            self.assertEqual(self.consumed("--offset", "150"), everything[150:])
            self.assertEqual(self.consumed("--offset", "150", "-n", "20"), everything[150:170])
            self.assertEqual(self.consumed("--offset", "9999"), [])
            self.assertEqual(self.consumed("--time", "1h"), everything)
            self.assertEqual(self.consumed("--time", "2099-01-01T00:00:00Z"), [])
            self.assertEqual(self.consumed("--partition", "0", "-n", "1"), everything[-1:])
            answer = self.millrace.run("topic", "consume", TOPIC, "--offset", "5", "-n", "2")
            rows = [random_users.row_of(user) for user in self.users[5:7]]
            self.assertEqual(answer.json_lines(), rows)
            answer = self.millrace.run("topic", "consume", TOPIC, "--partition", "4", code=1)
            self.assert_output(answer, out=False, err=True)

    def test_consume_follows_new_records(self):
        self.start(every="100ms")
        follower = subprocess.Popen(
            [binary(), "topic", "consume", TOPIC, "-f", "--from-start", "-o", "json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.millrace.environment,
        )  # fmt: skip
        self.addCleanup(follower.stderr.close)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        deadline = threading.Timer(DEADLINE_S, follower.kill)
        deadline.start()
        self.addCleanup(deadline.cancel)
        offsets = [json.loads(follower.stdout.readline())["offset"] for _ in range(6 * USERS_SEEN)]
        self.assertEqual(offsets, list(range(6 * USERS_SEEN)))
        # The pipeline that it reads from goes away.
        self.millrace.stop()
        follower.stdout.read()
        self.assertIn(follower.wait(DEADLINE_S), (0, 1))

    def test_tap(self):
        for _ in self.at_rest_and_running():
            rows = [random_users.row_of(user) for user in self.users[-10:]]
            for node in (SOURCE_NAME, TOPIC, TABLE):
                tapped = self.millrace.run("tap", node, "-o", "json").json_lines()
                self.assertEqual([each["rows"] for each in tapped], [[row] for row in rows])
                offsets = [each["record"]["offset"] for each in tapped]
                self.assertEqual(offsets, list(range(USERS_SEEN - 10, USERS_SEEN)))
                answer = self.millrace.run("tap", node, "-n", "1")
                self.assertIn(rows[-1]["email"], answer.out)
                self.assert_output(answer)
            tapped = self.millrace.run("tap", TABLE, "-n", USERS_SEEN, "-o", "json").json_lines()
            self.assertIn("has_email", tapped[7]["failure"])
            self.assertEqual(tapped[7]["rows"], [])
            self.assertIsNone(tapped[8]["failure"])
            answer = self.millrace.run("tap", "random_user", code=1)
            self.assertIn("did you mean 'random_users'", answer.err)
            self.assert_output(answer, out=False, err=True)

    def test_dead_letters(self):
        for _ in self.at_rest_and_running():
            (letter,) = self.millrace.dead_letters(TABLE)
            self.assertEqual(self.millrace.run("dlq", "list", "-o", "json").json_lines(), [letter])
            self.assertEqual(letter["address"], f"{TABLE}/0/0")
            self.assertEqual((letter["stage"], letter["rule"]), ("expect", "has_email"))
            self.assertEqual(letter["from"], {"topic": TOPIC, "partition": 0, "offset": 7})
            self.assertEqual(json.loads(letter["raw"]), random_users.row_of(self.users[7]))
            answer = self.millrace.run("dlq", "list")
            self.assertIn(letter["address"], answer.out)
            self.assertIn("has_email", answer.out)
            self.assertEqual(self.millrace.dead_letters(SOURCE_NAME), [])
            self.assertEqual(self.millrace.json("dlq", "show", letter["address"]), letter)
            answer = self.millrace.run("dlq", "show", letter["address"])
            self.assertIn(self.users[7]["login"]["username"], answer.out)
            self.assert_output(answer)
            for address in (f"{TABLE}/0/1", "no.table/0/0", "nonsense"):
                answer = self.millrace.run("dlq", "show", address, code=1)
                self.assert_output(answer, out=False, err=True)
            answer = self.millrace.run("dlq", "list", "spark_streams.created_user", code=1)
            self.assertIn(f"did you mean '{TABLE}'", answer.err)

    def test_a_reader_that_goes_early_is_no_failure(self):
        self.once()
        consume = f"'{binary()}' topic consume {TOPIC} --from-start"
        command = f"{consume} | head -1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, timeout=DEADLINE_S,
            env=self.millrace.environment,
        )  # fmt: skip
        self.assertEqual(done.stdout.splitlines()[1:], ["0"], done.stderr)

    def on_terminal(self, *arguments, **environment):
        """What a command writes to a terminal."""
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = subprocess.Popen(
            [binary(), *arguments], stdin=follower, stdout=follower, stderr=follower,
            env=self.millrace.environment | environment,
        )  # fmt: skip
        os.close(follower)
        output = b""
        try:
            while part := os.read(leader, 65_536):
                output += part
        except OSError:  # how Linux says that the other side is closed
            pass
        self.assertEqual(process.wait(DEADLINE_S), 0, output)
        return output.decode()

    def test_colours_are_for_terminals_that_want_them(self):
        self.once()
        self.assertIn("\x1b[", self.on_terminal("status"))
        self.assertNotIn("\x1b[", self.on_terminal("status", NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.on_terminal("status", "--no-color"))
        self.assertNotIn("\x1b[", self.on_terminal("status", TERM="dumb"))

    def test_signals_stop_it_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                self.start()
                self.assertEqual(self.millrace.end(number), 0, self.millrace.log_text())
                self.assert_balanced(self.millrace.status())
                self.assertFalse(self.millrace.is_up())

    def test_a_signal_ends_a_request_that_hangs(self):
        released = threading.Event()
        self.addCleanup(released.set)
        self.server.answer = lambda query: released.wait() and self.answer(query)
        self.millrace.start(self.file, "--once").wait_until_up()
        wait_until(lambda: self.server.requests, "a request")
        began = time.monotonic()
        self.assertEqual(self.millrace.end(signal.SIGINT), 0)
        self.assertLess(time.monotonic() - began, 5)

    def test_queries_without_end_hold_nobody_up(self):
        self.start()
        sql = "SELECT sum(range % 7) FROM range(100000000000000)"
        queries = [
            subprocess.Popen(
                [binary(), "sql", sql], env=self.millrace.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for _ in range(5)
        ]  # fmt: skip
        self.millrace.status()
        for query in queries[1:]:
            query.kill()
            query.communicate()
        self.assertEqual(self.millrace.rows("SELECT 42 AS n"), [{"n": 42}])
        self.millrace.stop()
        self.assertIn(b"does not answer", queries[0].communicate(timeout=DEADLINE_S)[0])

    def test_a_second_up_is_refused(self):
        self.start()
        answer = self.millrace.run("up", self.file, code=1)
        self.assertIn(str(self.millrace.process.pid), answer.err)
        self.assert_output(answer, out=False, err=True)
        self.assertTrue(self.millrace.is_up())

    def test_the_data_belongs_to_its_user(self):
        self.start()
        folder = self.millrace.data_dir
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        socket_mode = (folder / "api.sock").stat().st_mode
        self.assertEqual(stat.S_IMODE(socket_mode), 0o600)
        self.assertTrue(stat.S_ISSOCK(socket_mode))

    def test_a_data_directory_with_a_long_path(self):
        self.millrace = self.instance("d" * 150 + "/" + "e" * 100, RANDOMUSER_URL=self.server.url)
        self.millrace.data_dir.parent.mkdir()
        self.test_status()

    def test_an_option_beats_the_environment(self):
        self.once()
        elsewhere = ["--data-dir", self.folder / "elsewhere"]
        answer = self.millrace.run("status", *elsewhere, code=1)
        self.assertIn("elsewhere", answer.err)
        self.millrace.run("up", self.file, "--once", *elsewhere, RUN_FOR="0s")
        self.millrace.run("up", self.file, "--once", *elsewhere, RUN_FOR="0s")
        count = f"SELECT count(*) AS n FROM {TOPIC}"
        self.assertEqual(self.millrace.rows(count), [{"n": USERS_SEEN}])
        answer = self.millrace.run(*elsewhere, "sql", count, "-o", "json")
        self.assertEqual(answer.json(), [{"n": 2 * USERS_SEEN}])

    def test_lint(self):
        answer = self.millrace.run("lint", self.file)
        self.assert_output(answer, out=False, err=True)
        self.assertEqual(self.millrace.json("lint", self.file)["problems"], [])
        shutil.copy(USERS / "randomuser.schema.json", self.folder)
        for name, old, new, column_of, hint in (
            ("key", "    for: ", "    fro: ", "fro:", "did you mean 'for'"),
            ("topic", "to: users_created", "to: users_craeted", "users_craeted", "users_created"),
            ("column", "post_code, email,", "post_code, emial,", "emial", "email"),
            ("rule", "email LIKE", "emial LIKE", "emial", "email"),
            ("primary", "primary_key: id", "primary_key: ib", "ib ", "did you mean 'id'"),
            ("url", "url: ${env:RANDOMUSER_URL:-sample", "url: ${env:NOT_SET} # ", "$", "NOT_SET"),
            ("schema", "schema: randomuser", "schema: randomusr", "randomusr", "randomusr"),
        ):
            with self.subTest(name):
                text = example(change=(old, new))
                before = text[: text.index(new) + new.index(column_of.strip())]
                line = before.count("\n") + 1
                column = len(before) - before.rfind("\n")
                self.write("wrong.yaml", text)
                answer = self.millrace.run("lint", "wrong.yaml", code=1)
                self.assertIn(f"wrong.yaml:{line}:{column}: error: ", answer.out)
                self.assertIn(hint, answer.out)
                (problem, *_) = self.found_by_json_lint()
                self.assertEqual((problem["line"], problem["column"]), (line, column))
                up = self.millrace.run("up", "wrong.yaml", "--once", code=1)
                self.assertIn(f"wrong.yaml:{line}:{column}: error: ", up.said())
                self.assertFalse(self.millrace.data_dir.exists())

    def found_by_json_lint(self):
        answer = self.millrace.run("lint", "wrong.yaml", "-o", "json", code=1).json()
        self.assertFalse(answer["ok"])
        return answer["problems"]

    def test_lint_prints_the_schema_and_the_reference(self):
        schema = json.loads(self.millrace.run("lint", "--schema").out)
        self.assertIn("sources", schema["properties"])
        reference = self.millrace.run("lint", "--reference").out
        self.assertIn("`primary_key`", reference)
        documented = (SOURCE / "docs" / "pipeline-file.md").read_text()
        for key in set(re.findall(r"^\| `(\w+)`", reference, re.MULTILINE)):
            self.assertIn(f"`{key}`", documented)


if __name__ == "__main__":
    unittest.main()
