"""What is measured. Each function of FIGURES takes a Place and returns rows; docs/performance.md
says in words what they mean."""

import contextlib
import json
import shutil
import subprocess
import time

from processes import SOURCE_TREE, Failed, Millrace, TestApi, fetching
from report import Reference, Row

TABLE = "spark_streams.created_users"
EXAMPLE = SOURCE_TREE / "examples/users/users.yaml"
USERS_A_PAGE = 1_000


def times(place, full, quick=1):
    return range(quick if place.quick else full)


def paged_pipeline():
    """The example, asking for page after page without a pause; returns the file."""
    text = EXAMPLE.read_text()
    for old, new in [
        ("every: ${env:EVERY:-1s}", "every: 0s\n      timeout: 1h\n      page: {first: 1}"),
        ("    for: ${env:RUN_FOR:-60s}\n", ""),
    ]:
        if old not in text:
            raise Failed(f"{EXAMPLE} has no '{old}' any more: see bench/figures.py")
        text = text.replace(old, new)
    shutil.copy(EXAMPLE.with_name("randomuser.schema.json"), ".")
    with open("paged.yaml", "w") as file:
        file.write(text)
    return "paged.yaml"


def decode(place):
    users, alone = [], []
    for _ in times(place, 5):
        ran = place.run_micro_bench("sql_bench", "decode_and_select/1000$|simdjson_alone")
        users.append(ran["decode_and_select/1000"]["items_per_second"])
        alone.append(ran["simdjson_alone/1000"]["items_per_second"])
    return [
        Row(
            "decode.users",
            "decode + select, one thread",
            "users/s",
            users,
            target=500_000,
            more_is_better=True,
            reference=Reference("simdjson alone", alone),
        )
    ]


def fetch_all(page_count):
    """Users a second when nothing is done with them."""
    with TestApi("--pages", page_count) as api, fetching(api.url(USERS_A_PAGE)) as fetch:
        started = time.monotonic()
        for page in range(1, page_count + 2):
            fetch(f"&page={page}")
        return page_count * USERS_A_PAGE / (time.monotonic() - started)


def check_count(millrace_status, wanted):
    table = millrace_status["tables"][0]
    if table["written"] != wanted or not table["balanced"]:
        raise Failed(f"{wanted} rows were to be written, but the status is {table}")


def status_at_rest(place, data_dir):
    command = [place.binary("millrace"), "status", "-o", "json", "--data-dir", data_dir]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def api(place):
    page_count = 30 if place.quick else 500
    user_count = page_count * USERS_A_PAGE
    pipeline = paged_pipeline()
    rates, cpu, server_cpu, memory, fetched = [], [], [], [], []
    for _ in times(place, 5):
        fetched.append(fetch_all(page_count))
        data_dir = place.new_data_dir()
        with TestApi("--pages", page_count) as test_api:
            variables = {"RANDOMUSER_URL": test_api.url(USERS_A_PAGE)}
            with Millrace(place, pipeline, data_dir, "--once", variables=variables) as millrace:
                millrace.wait()
        check_count(status_at_rest(place, data_dir), user_count)
        report = test_api.report
        rates.append(user_count / (millrace.ended - report["first_request_s"]))
        cpu.append(millrace.cpu_s() * 1e6 / user_count)
        server_cpu.append(report["cpu_s"] * 1e6 / user_count)
        memory.append(millrace.usage.ru_maxrss * 1024 / 1e6)
        shutil.rmtree(data_dir)
    return [
        Row(
            "api.users",
            "API to topic to table",
            "users/s",
            rates,
            target=100_000,
            more_is_better=True,
            reference=Reference("the requests alone", fetched),
        ),
        Row(
            "api.cpu",
            "its CPU a million users",
            "s",
            cpu,
            reference=Reference("the test API", server_cpu),
        ),
        Row("api.memory", "its peak resident memory", "MB", memory),
    ]


def topic(place):
    records = "100000" if place.quick else "1000000"
    rates, cpu, raw_rates, raw_cpu = [], [], [], []
    for _ in times(place, 3):
        raw = place.run_micro_bench("store_bench", "rocksdb_ingest")["rocksdb_ingest"]
        ran = place.run_micro_bench("pipeline_bench", f"topic_to_table/{records}/")
        ran = ran[f"topic_to_table/{records}"]
        rates.append(ran["items_per_second"])
        cpu.append(ran["cpu_s_per_million"])
        raw_rates.append(raw["items_per_second"])
        raw_cpu.append(raw["cpu_s_per_million"])
    return [
        Row(
            "topic.records",
            "topic to table",
            "records/s",
            rates,
            target=250_000,
            more_is_better=True,
            reference=Reference("RocksDB alone", raw_rates),
        ),
        Row(
            "topic.cpu",
            "its CPU a million records",
            "s",
            cpu,
            target=6,
            reference=Reference("RocksDB alone", raw_cpu),
        ),
    ]


def log(place):
    sizes = {"380000": "380 KB", "4000": "4 KB"}
    appended = {size: [] for size in sizes}
    together = {size: [] for size in sizes}
    raw = {size: [] for size in sizes}
    for _ in times(place, 7):
        for size in sizes:
            # Next to each other, as the disk's speed changes from one moment to the next.
            ran = place.run_micro_bench("log_bench", f"(raw_write|append).*/{size}/", 0.2)
            raw[size].append(ran[f"raw_write_and_sync/{size}"]["bytes_per_second"] / 1e6)
            appended[size].append(ran[f"append/{size}"]["bytes_per_second"] / 1e6)
            together[size].append(ran[f"append_together/{size}"]["bytes_per_second"] / 1e6)
    rows = []
    for size, words in sizes.items():
        alone = Reference("pwrite + fdatasync", raw[size])
        name = words.lower().replace(" ", "_")
        rows += [
            Row(
                f"log.append_{name}",
                f"batches of {words}, fdatasync each",
                "MB/s",
                appended[size],
                target=0.8,
                more_is_better=True,
                reference=alone,
                target_is_of_ratio=True,
            ),
            Row(
                f"log.group_{name}",
                f"batches of {words}, 8 threads",
                "MB/s",
                together[size],
                more_is_better=True,
                reference=alone,
            ),
        ]
    return rows


def start(place):
    version, first, second = [], [], []
    for _ in times(place, 10, 3):
        began = time.monotonic()
        subprocess.run([place.binary("millrace"), "version"], check=True, capture_output=True)
        version.append((time.monotonic() - began) * 1e3)

        data_dir = place.new_data_dir()
        with Millrace(place, EXAMPLE, data_dir) as millrace:
            count = millrace.wait_for("a row", lambda: millrace.count(TABLE), 0.001)
            first.append((time.monotonic() - millrace.started) * 1e3)
        count = status_at_rest(place, data_dir)["tables"][0]["written"]
        with Millrace(place, EXAMPLE, data_dir) as millrace:
            millrace.wait_for("a row", lambda: (millrace.count(TABLE) or 0) > count, 0.001)
            second.append((time.monotonic() - millrace.started) * 1e3)
        shutil.rmtree(data_dir)
    bare = Reference("`millrace version`", version)
    return [
        Row("start.version", "`millrace version`", "ms", version),
        Row(
            "start.first_row",
            "`millrace up`, empty: first row",
            "ms",
            first,
            target=500,
            reference=bare,
        ),
        Row(
            "start.again",
            "`millrace up` again: first new row",
            "ms",
            second,
            reference=bare,
        ),
    ]


def visible(place):
    appends = 200 if place.quick else 2_000
    p50, p99, memory, raw = [], [], [], []
    for _ in times(place, 3):
        synced = place.run_micro_bench("log_bench", "raw_write_and_sync/4000", 0.2)
        raw.append(synced["raw_write_and_sync/4000"]["real_time"] / 1e6)
        ran = place.run_micro_bench("pipeline_bench", f"append_to_visible/iterations:{appends}$")
        ran = ran["append_to_visible"]
        p50.append(ran["p50_ms"])
        p99.append(ran["p99_ms"])
        memory.append(ran["resident_mib"] * (1 << 20) / 1e6)
    disk = Reference("4 KB fdatasync, mean", raw)
    return [
        Row("visible.p50", "append to visible, 1,000/s: p50", "ms", p50, reference=disk),
        Row("visible.p99", "append to visible, 1,000/s: p99", "ms", p99, target=5, reference=disk),
        Row("visible.memory", "resident memory of that process", "MB", memory, target=120),
    ]


def memory(place):
    """1,000 users a second, as ten pages of a hundred."""
    resident, peak = [], []
    seconds = 2 if place.quick else 15
    for _ in times(place, 3):
        data_dir = place.new_data_dir()
        with TestApi() as test_api:
            variables = {"RANDOMUSER_URL": test_api.url(100), "EVERY": "100ms"}
            with Millrace(place, EXAMPLE, data_dir, variables=variables) as millrace:
                millrace.wait_for("a row", lambda: millrace.count(TABLE), 0.05)
                time.sleep(seconds)
                count = millrace.count(TABLE)
                if count < 800 * seconds:
                    raise Failed(f"only {count} rows after {seconds} s of 1,000 a second")
                resident.append(millrace.memory_mb("VmRSS"))
                peak.append(millrace.memory_mb("VmHWM"))
        shutil.rmtree(data_dir)
    what = f"`millrace up`, {seconds} s of 1,000 users/s"
    return [
        Row("memory.resident", what, "MB", resident, target=120),
        Row("memory.peak", "the most there was", "MB", peak),
    ]


@contextlib.contextmanager
def loaded_instance(place, page_count):
    """A running instance that has just loaded so many pages and waits for its source."""
    pipeline = paged_pipeline()
    data_dir = place.new_data_dir()
    wanted = page_count * USERS_A_PAGE
    with TestApi("--pages", page_count, "--then", "hang") as test_api:
        variables = {"RANDOMUSER_URL": test_api.url(USERS_A_PAGE)}
        with Millrace(place, pipeline, data_dir, variables=variables) as millrace:

            def has_all():
                status, answer = millrace.ask("GET", "/v1/status")
                return status == 200 and answer["tables"][0]["written"] >= wanted

            millrace.wait_for(f"row {wanted}", has_all, 0.05)
            yield millrace
    shutil.rmtree(data_dir)


def count(place):
    page_count = 30 if place.quick else 500
    row_count = page_count * USERS_A_PAGE
    sql = f"SELECT count(*) FROM {TABLE}"
    command_ms, server_ms, raw_ms = [], [], []
    with loaded_instance(place, page_count) as millrace:
        command = [place.binary("millrace"), "sql", "-o", "json", "--data-dir"]
        command += [millrace.data_dir, sql]
        for _ in times(place, 7):
            began = time.monotonic()
            done = subprocess.run(command, check=True, capture_output=True)
            command_ms.append((time.monotonic() - began) * 1e3)
            _, answer = millrace.ask("POST", "/v1/sql", json.dumps({"sql": sql}))
            server_ms.append(answer["elapsed_ms"])
            counts = {answer["rows"][0][0], *json.loads(done.stdout)[0].values()}
            if counts != {row_count}:
                raise Failed(f"counted {counts} of {row_count} rows")
    for _ in times(place, 3):
        ran = place.run_micro_bench("store_bench", "rocksdb_scan$")
        raw_ms.append(ran["rocksdb_scan"]["real_time"])
    raw = None if place.quick else Reference("RocksDB alone", raw_ms)
    what = f"count(*) of {row_count:,}"
    return [
        Row("count.command", f"`millrace sql`, {what} rows", "ms", command_ms, 400, reference=raw),
        Row("count.server", "of it in the instance", "ms", server_ms, reference=raw),
    ]


def size(place):
    binary = place.binary("millrace")
    libraries = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    duckdb = next(line.split()[2] for line in libraries.splitlines() if "libduckdb" in line)
    rows = []
    for name, path in [("binary", binary), ("libduckdb", duckdb)]:
        with open(path, "rb") as file:
            rows.append(Row(f"size.{name}", name, "MB", [file.seek(0, 2) / 1e6]))
    return rows


FIGURES = {
    function.__name__: function
    for function in (decode, api, topic, log, start, visible, memory, count, size)
}
