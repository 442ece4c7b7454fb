"""What a run has measured: rows, as a table for people and as JSON."""

import dataclasses
import datetime
import json
import math
import os
import pathlib
import platform
import statistics


@dataclasses.dataclass
class Reference:
    """What the same machine does, in the same run, with the least that could be used instead."""

    what: str
    values: list


@dataclasses.dataclass
class Row:
    """One figure, of one measurement or several; the median is its value."""

    name: str  # GROUP.FIGURE
    what: str
    unit: str
    values: list
    target: float | None = None
    more_is_better: bool = False
    reference: Reference | None = None
    target_is_of_ratio: bool = False

    @property
    def value(self):
        return statistics.median(self.values)

    @property
    def ratio(self):
        """Of pairs measured one after the other where there are, as a machine's speed changes."""
        if not self.reference:
            return None
        if len(self.values) == len(self.reference.values):
            pairs = zip(self.values, self.reference.values, strict=True)
            return statistics.median(value / other for value, other in pairs)
        return self.value / statistics.median(self.reference.values)

    @property
    def is_met(self):
        if self.target is None:
            return None
        measured = self.ratio if self.target_is_of_ratio else self.value
        return measured >= self.target if self.more_is_better else measured <= self.target

    def as_json(self):
        row = {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "value": self.value,
            "values": self.values,
            "target": self.target,
            "target_is_of_ratio": self.target_is_of_ratio,
            "met": self.is_met,
        }
        if self.reference:
            row["reference"] = {
                "what": self.reference.what,
                "value": statistics.median(self.reference.values),
                "values": self.reference.values,
                "ratio": self.ratio,
            }
        return row


def shown(number):
    """Three digits are what such measurements are worth."""
    if abs(number) >= 100:
        digits = max(len(str(int(abs(number)))) - 3, 0)
        return f"{round(number, -digits):,.0f}"
    return f"{number:.3g}"


def spread_of(values):
    return f"{shown(min(values))} to {shown(max(values))}" if len(values) > 1 else ""


def target_of(row):
    if row.target is None:
        return ""
    sign = "≥" if row.more_is_better else "≤"
    missed = "" if row.is_met else " MISSED"
    return f"{sign} {shown(row.target)}{' of it' if row.target_is_of_ratio else ''}{missed}"


def cells(row):
    value = f"{shown(row.value)} {row.unit}"
    reference, ratio = "", ""
    if row.reference:
        median = statistics.median(row.reference.values)
        reference = f"{row.reference.what}: {shown(median)}"
        ratio = shown(row.ratio)
    return [row.what, value, spread_of(row.values), target_of(row), reference, ratio]


TITLES = ["", "value", "of all runs", "target", "reference, same run", "ratio"]
TITLES_AGAINST = ["", "then", "of all runs", "now", "of all runs", "now/then", ""]
WORSE = 0.03


def cells_against(row, earlier):
    """A figure beside what an earlier run wrote of it; None: it had no such figure."""
    now = f"{shown(row.value)} {row.unit}"
    if earlier is None:
        return [row.what, "", "", now, spread_of(row.values), "", "new"]
    ratio = row.value / earlier["value"] if earlier["value"] else math.inf
    mark = ""
    if ratio < 1 - WORSE if row.more_is_better else ratio > 1 + WORSE:
        then = earlier["values"]
        overlap = min(then) <= max(row.values) and min(row.values) <= max(then)
        mark = "worse, within the spread" if overlap else "WORSE"
    before = f"{shown(earlier['value'])} {earlier['unit']}"
    spreads = spread_of(earlier["values"]), spread_of(row.values)
    return [row.what, before, spreads[0], now, spreads[1], shown(ratio), mark]


def print_rows(rows, is_markdown, titles, cells_of):
    lines = [titles]
    group = None
    for row in rows:
        row_group = row.name.partition(".")[0]
        if row_group != group and not is_markdown:
            lines.append([row_group])
        group = row_group
        lines.append(cells_of(row))
        if not is_markdown:
            lines[-1][0] = "  " + lines[-1][0]
    if is_markdown:
        lines.insert(1, ["---"] * len(titles))
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(len(titles))]
    for line in lines:
        padded = [cell.ljust(widths[i]) for i, cell in enumerate(line)]
        print(("| " + " | ".join(padded) + " |" if is_markdown else "  ".join(padded)).rstrip())


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


class Report:
    def __init__(self, is_quick):
        self.rows = []
        self.about = {
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "processor": processor(),
            "processors": os.cpu_count(),
            "kernel": platform.release(),
            "quick": is_quick,
            "load_before": os.getloadavg()[0],
        }

    def write(self, path):
        self.about["load_after"] = os.getloadavg()[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [row.as_json() for row in self.rows]
        path.write_text(json.dumps(self.about | {"rows": rows}, indent=1) + "\n")

    def print(self, is_markdown):
        about = self.about
        print(
            f"{about['processors']} x {about['processor']}, Linux {about['kernel']}; load average "
            f"{about['load_before']:.1f} before, {about['load_after']:.1f} after\n"
        )
        print_rows(self.rows, is_markdown, TITLES, cells)
        with_target = [row for row in self.rows if row.target is not None]
        met = sum(row.is_met for row in with_target)
        words = "; so little data says nothing about them" if about["quick"] else ""
        print(f"\n{met} of {len(with_target)} targets met{words}")

    def print_against(self, earlier, is_markdown):
        """Beside the JSON of an earlier run."""
        rows = {row["name"]: row for row in earlier["rows"]}
        print(f"\nAgainst the run of {earlier['time']}, {earlier['processor']}:\n")
        print_rows(
            self.rows, is_markdown, TITLES_AGAINST,
            lambda row: cells_against(row, rows.get(row.name)),
        )  # fmt: skip
