"""What the tests of the whole binary share: running it, asking it, and waiting for it."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent
USERS = SOURCE / "examples" / "users"

# No wait takes this long unless something is wrong.
DEADLINE_S = 60


def binary():
    """The binary under test: MILLRACE in the environment, or the one that ./dev builds."""
    default = SOURCE / "build" / "release" / "millrace"
    return str(pathlib.Path(os.environ.get("MILLRACE", default)).resolve())


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Polls until `condition()` is true, and returns its value."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline_s} s still not: {what}")
        time.sleep(0.01)  # between two looks, not instead of one


def as_told(line):
    """A line of stderr; of a JSON line what it says of a place or an error."""
    if not line.startswith("{"):
        return line
    logged = json.loads(line)
    words = logged.get("error", logged["message"])
    return f"{logged['place']}: {logged['level']}: {words}" if "place" in logged else words


class Answer:
    """What a command said and how it ended."""

    def __init__(self, arguments, completed):
        self.arguments = arguments
        self.code = completed.returncode
        self.out = completed.stdout.decode()
        self.err = completed.stderr.decode()

    def __str__(self):
        command = " ".join(["millrace", *self.arguments])
        return f"$ {command}\n{self.out[:2000]}\n[stderr]\n{self.err[:4000]}\n[exit {self.code}]"

    def said(self):
        """What is on stderr, in words alone."""
        return "\n".join(map(as_told, self.err.splitlines()))

    def json(self):
        return json.loads(self.out)

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Instance:
    """A data directory, and the process that runs a pipeline on it, if there is one."""

    def __init__(self, data_dir, environment=None, cwd=None):
        self.data_dir = pathlib.Path(data_dir)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.data_dir)}
        self.environment["MILLRACE_DATA_DIR"] = str(self.data_dir)
        self.environment |= environment or {}
        self.cwd = cwd
        self.process = None
        self.log = None  # what the process writes to stderr, and stdout

    def run(self, *arguments, code=0, stdin="", **environment):
        """Runs a command to its end; `code` is the exit code wanted."""
        arguments = list(map(str, arguments))
        completed = subprocess.run(
            [binary(), *arguments], capture_output=True, timeout=300, cwd=self.cwd,
            input=stdin.encode(errors="surrogateescape"), env=self.environment | environment,
        )  # fmt: skip
        answer = Answer(arguments, completed)
        assert answer.code == code, f"exit {answer.code}, wanted {code}:\n{answer}"
        return answer

    def json(self, *arguments, **environment):
        return self.run(*arguments, "-o", "json", **environment).json()

    def up_once(self, file, **environment):
        return self.run("up", file, "--once", **environment)

    def status(self):
        return self.json("status")

    def rows(self, sql):
        """The answer of a query, as a list of dicts."""
        answer = self.run("sql", sql, "-o", "json")
        assert not answer.err, answer  # nothing was cut off or could not be decoded
        return answer.json()

    def records(self, topic):
        """All records of a topic: for each partition a list, by offset."""
        count = len(self.json("topic", "describe", topic)["partitions"])
        return [self._records_of(topic, partition) for partition in range(count)]

    def _records_of(self, topic, partition):
        return self.run(
            "topic", "consume", topic, "--partition", partition, "--from-start", "-o", "json"
        ).json_lines()

    def dead_letters(self, node, limit=10_000):
        return self.run("dlq", "list", node, "-n", limit, "-o", "json").json_lines()

    def start(self, *arguments, **environment):
        """Starts `millrace up ...`; returns at once."""
        assert self.process is None
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.log = self.data_dir.parent / (self.data_dir.name[:50] + ".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [binary(), "up", *arguments], cwd=self.cwd,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment | environment, start_new_session=True,
            )  # fmt: skip
        return self

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log else ""

    def wait_until_up(self):
        """Waits until the API answers."""

        def answers():
            code = self.process.poll()
            assert code is None, f"up ended with {code}:\n{self.log_text()[-4000:]}"
            return self.is_up()

        wait_until(answers, "the API answers")
        return self

    def is_up(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DEADLINE_S)
            folder = os.open(self.data_dir, os.O_PATH)  # however long its path is
            try:
                connection.connect(f"/proc/self/fd/{folder}/api.sock")
            finally:
                os.close(folder)
            connection.sendall(b"GET /v1/version HTTP/1.1\r\nHost: millrace\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.1 200")
        return False

    def end(self, signal_number):
        """Sends the signal and waits; the exit code, negative where a signal ended it."""
        process, self.process = self.process, None
        process.send_signal(signal_number)
        return process.wait(DEADLINE_S)

    def stop(self):
        code = self.end(signal.SIGTERM)
        assert code == 0, f"stopped with {code}:\n{self.log_text()[-4000:]}"

    def kill(self):
        return self.end(signal.SIGKILL)

    def cleanup(self):
        if self.process is not None:
            self.kill()


class MillraceTest(unittest.TestCase):
    """A test with a temporary folder, and instances that end with it."""

    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def instance(self, name="data", **environment):
        made = Instance(self.folder / name, environment, cwd=self.folder)
        self.addCleanup(made.cleanup)
        return made

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def assert_balanced(self, status):
        """Nothing was skipped in silence, by the numbers of every source and table."""
        for source in status["sources"]:
            parts = source["records"] + source["filtered"] + source["dead_letters"]
            self.assertEqual(source["items"], parts, source)
        for table in status["tables"]:
            parts = table["written"] + table["filtered"] + table["dead_letters"]
            parts += table["waiting"] + table["removed"]
            self.assertEqual(table["records_in"], parts, table)
            self.assertTrue(table["balanced"], table)
        return status


def by_name(things, name):
    return next(thing for thing in things if thing["name"] == name)
