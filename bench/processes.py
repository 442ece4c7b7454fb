"""The processes that are measured: millrace, the micro-benchmarks, the test API."""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

SOURCE_TREE = pathlib.Path(__file__).resolve().parent.parent
DEADLINE_S = 120  # of anything that is waited for


class Failed(Exception):
    pass


@dataclasses.dataclass
class Place:
    """Where the binaries are (build) and where data may be written (the working folder)."""

    build: pathlib.Path
    quick: bool = False
    data_dirs: int = 0

    def binary(self, name):
        path = self.build / name
        if not path.exists():
            raise Failed(f"there is no {path}: ./dev bench builds it")
        return path

    def new_data_dir(self):
        """Relative to the working folder: short enough for the name of a Unix socket."""
        self.data_dirs += 1
        return pathlib.Path(f"data-{self.data_dirs}")

    def run_micro_bench(self, name, pattern, min_time_s=0.5):
        """Runs benchmarks of a google-benchmark program: {benchmark's name: its figures}."""
        command = [
            self.binary(name),
            f"--benchmark_filter={pattern}",
            "--benchmark_format=json",
            f"--benchmark_min_time={0.05 if self.quick else min_time_s}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
        if done.returncode != 0:
            raise Failed(f"{name} ended with {done.returncode}: {done.stderr[-500:]}")
        figures = {}
        for figure in json.loads(done.stdout)["benchmarks"]:
            if figure.get("error_occurred"):
                raise Failed(f"{figure['name']}: {figure['error_message']}")
            figures[short_name(figure["name"])] = figure
        return figures


def short_name(name):
    """Without what google-benchmark adds: append/4000/real_time/threads:8 is append/4000."""
    added = {"real_time", "manual_time"}
    return "/".join(part for part in name.split("/") if part not in added and ":" not in part)


class TestApi:
    """bench/server.py, for the length of a `with`."""

    def __init__(self, *arguments):
        self.arguments = [str(argument) for argument in arguments]
        self.report = {}

    def __enter__(self):
        server = pathlib.Path(__file__).with_name("server.py")
        self.process = subprocess.Popen(
            [sys.executable, server, *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())
        return self

    def url(self, users_a_page):
        return f"http://127.0.0.1:{self.port}/users?results={users_a_page}"

    def finish(self):
        """Ends it and fills `report`."""
        if self.process.returncode is None:
            out, _ = self.process.communicate(timeout=DEADLINE_S)
            self.report = json.loads(out or "{}")

    def __exit__(self, *_):
        self.finish()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Millrace:
    """`millrace up`, for the length of a `with`; afterwards `usage` is its rusage."""

    def __init__(self, place, pipeline, data_dir, *options, variables=None):
        self.log = pathlib.Path(f"{data_dir}.log")
        self.data_dir = data_dir
        self.command = [place.binary("millrace"), "up", pipeline, "--data-dir", data_dir, *options]
        self.variables = variables or {}
        self.connection = None
        self.usage = None

    def __enter__(self):
        with self.log.open("ab") as log:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.variables,
            )
        return self

    def __exit__(self, *_):
        if self.connection:
            self.connection.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            self.wait()

    def wait(self):
        """Until it ends by itself."""
        _, status, self.usage = os.wait4(self.process.pid, 0)
        self.ended = time.monotonic()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != 0:
            raise Failed(
                f"{self.command} ended with {self.process.returncode}:\n"
                f"{self.log.read_text()[-2000:]}"
            )

    def cpu_s(self):
        return self.usage.ru_utime + self.usage.ru_stime

    def ask(self, method, target, body=None):
        """An answer of its API as (status, JSON); (0, None) where it cannot be reached yet."""
        try:
            self.connection = self.connection or UnixConnection(self.data_dir / "api.sock")
            self.connection.request(method, target, body)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self.connection = None
            return 0, None

    def count(self, table):
        """Rows of the table, None before there is one to ask."""
        body = json.dumps({"sql": f"SELECT count(*) FROM {table}"})
        status, answer = self.ask("POST", "/v1/sql", body)
        return answer["rows"][0][0] if status == 200 else None

    def wait_for(self, what, condition, pause_s):
        """Polls until condition() is true; its value."""
        while not (value := condition()):
            if self.process.poll() is not None or time.monotonic() > self.started + DEADLINE_S:
                raise Failed(f"{what} never came:\n{self.log.read_text()[-2000:]}")
            time.sleep(pause_s)
        return value

    def memory_mb(self, field):
        """VmRSS (now) or VmHWM (the most there was), in MB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        raise Failed(f"no {field} of {self.command[0]}")


@contextlib.contextmanager
def fetching(url):
    """A function that GETs url + its argument over one connection and throws the body away."""
    host = url.split("/")[2]
    connection = http.client.HTTPConnection(host, timeout=DEADLINE_S)
    room = bytearray(4 << 20)

    def fetch(more):
        connection.request("GET", url.partition(host)[2] + more)
        response = connection.getresponse()
        while response.readinto(room):
            pass

    try:
        yield fetch
    finally:
        connection.close()
