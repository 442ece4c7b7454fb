#!/usr/bin/env python3
"""What `millrace up` shows: a view on a terminal that can show one, log lines elsewhere."""

import contextlib
import json
import re
import unittest

import page_server
from millrace import MillraceTest, binary, wait_until
from terminal import OnTerminal

SCHEMA = '{"type": "object", "properties": {"id": {"type": "integer"}, "ok": {"type": "boolean"}}}'
ITEMS_OF_PAGE = 10
TABLE = "shop_of_many_orders.orders_of_all_customers"

PIPELINE = f"""
name: orders
sources:
  api:
    http: {{url: "${{env:API_URL}}", every: 50ms, page: {{}}}}
    items: orders
    schema: order.schema.json
    to: orders
    select: SELECT id, ok FROM api
topics:
  orders: {{key: id}}
tables:
  {TABLE}:
    primary_key: id
    from: SELECT * FROM orders
    expect: {{is_ok: ok}}
"""


def many_sources(count):
    text = "name: many\nsources:"
    for i in range(count):
        text += f"""
  api_{i}:
    http: {{url: "${{env:API_URL}}", every: 50ms, page: {{}}}}
    items: orders
    schema: order.schema.json
    to: orders_{i}
    select: SELECT id, ok FROM api_{i}"""
    return text + "\ntopics:" + "".join(f"\n  orders_{i}: {{key: id}}" for i in range(count)) + "\n"


class Orders(MillraceTest):
    """A pipeline whose API gives a page of orders for every request, or says `status`."""

    def setUp(self):
        super().setUp()
        self.status = 200
        self.server = self.enterContext(page_server.serve(self.answer))
        self.millrace = self.instance(API_URL=self.server.url)
        self.write("order.schema.json", SCHEMA)
        self.file = self.write("orders.yaml", PIPELINE)

    def answer(self, query):
        first = int(query["page"]) * ITEMS_OF_PAGE
        items = [{"id": first + i, "ok": i > 0} for i in range(ITEMS_OF_PAGE)]
        return self.status, json.dumps({"orders": items}).encode()


class View(Orders):
    """Where stderr is a terminal."""

    def up(self, *arguments, width=80, height=24, stdout=None, **environment):
        terminal = OnTerminal(
            [binary(), "up", *arguments], self.millrace.environment | environment,
            width, height, self.folder, stdout,
        )  # fmt: skip
        self.addCleanup(terminal.close)
        return terminal

    def header(self, lines):
        (number,) = [i for i, line in enumerate(lines) if "STATE" in line] or [None]
        return number

    def view(self, lines):
        """The lines of the view, from its header on; None where there is none."""
        number = self.header(lines)
        return None if number is None else lines[number:]

    def wait_for_frame(self, terminal, condition, what):
        def holds(lines):
            view = self.view(lines)
            return view is not None and condition(view) and view

        return terminal.wait_until(holds, what)

    def number(self, view, row, column):
        """The number in a row under the header's word `column`."""
        end = view[0].index(column) + len(column)
        return int(view[row][:end].split()[-1].replace(",", ""))

    def assert_fits(self, terminal):
        for frame in re.findall(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", terminal.raw, re.DOTALL):
            text = re.sub(r"\x1b\[\??[0-9;]*[A-Za-z]", "", frame)
            widest = max(text.replace("\r", "").split("\n"), key=len)
            self.assertLessEqual(len(widest), terminal.screen.width, widest)

    def assert_one_view(self, terminal):
        """It is drawn in its place, again and again, and leaves no trace above."""
        everything = terminal.screen.scrolled + terminal.screen.lines()
        headers = [line for line in everything if "STATE" in line]
        self.assertEqual(len(headers), 1, terminal.seen())

    def frames(self, terminal, count):
        """Waits for so many frames more."""
        target = terminal.raw.count("\x1b[?2026l") + count
        terminal.wait_until(
            lambda lines: terminal.raw.count("\x1b[?2026l") >= target, f"{count} frames"
        )

    def test_a_line_for_each_node_in_place(self):
        terminal = self.up(self.file)
        view = self.wait_for_frame(
            terminal, lambda view: len(view) == 3 and self.number(view, 2, "WRITTEN") > 0, "rows"
        )
        self.assertRegex(
            view[0], r"^orders \d+s +STATE +RECORDS +RATE +LAG +WRITTEN +DEAD LETTERS$"
        )
        self.assertRegex(view[1], r"^api +running +[\d,]+ +[\d.,]+/s +0$")
        self.assertRegex(
            view[2], r"^shop_of.*….*customers +running( +[\d,]+) +[\d.,]+/s( +[\d,]+){3}$"
        )
        rows, dead = self.number(view, 2, "WRITTEN"), self.number(view, 2, "LETTERS")
        self.assertEqual(rows, 9 * dead)
        self.assertGreaterEqual(self.number(view, 2, "RECORDS"), rows + dead)
        self.frames(terminal, 3)
        grown = self.view(terminal.screen.lines())
        self.assertGreater(self.number(grown, 2, "WRITTEN"), rows)
        self.assert_one_view(terminal)
        self.assert_fits(terminal)
        self.assertIn(f"orders  {self.file}", terminal.seen())

    def test_nothing_flickers(self):
        """A frame is written over the one before: no line of it is ever seen empty."""
        terminal = self.up(self.file)
        self.wait_for_frame(terminal, lambda view: len(view) == 3, "the view")
        screen, seen_empty = terminal.screen, []
        top = self.header(screen.lines())
        put = screen.put

        def look(character):
            put(character)
            rows = [row.strip() for row in screen.rows[top : top + 3]]
            if len(rows) < 3 or not all(rows):
                seen_empty.append(rows)

        screen.put = look
        self.frames(terminal, 3)
        self.assertEqual(seen_empty, [])

    def test_a_narrow_terminal(self):
        terminal = self.up(self.file, width=40)
        view = self.wait_for_frame(
            terminal, lambda view: len(view) == 3 and self.number(view, 2, "DEAD") > 0, "rows"
        )
        self.assertRegex(view[0], r"^orders \d+s +STATE .*DEAD$")
        self.assertRegex(view[2], r"^shop.*….*ers +running .*\d$")
        self.frames(terminal, 2)
        view = self.view(terminal.screen.lines())
        self.assertLessEqual(max(map(len, view)), 40)
        self.assertEqual(len(view), 3)

    def test_the_window_changes_its_size(self):
        terminal = self.up(self.file, width=100)
        self.wait_for_frame(terminal, lambda view: TABLE in view[2], "the whole name")
        for width, height in ((60, 24), (45, 10), (120, 30), (81, 6)):
            terminal.resize(width, height)
            self.frames(terminal, 2)
            view = self.view(terminal.screen.lines())
            self.assertEqual(len(view), 3, terminal.seen())
            self.assertLessEqual(max(map(len, view)), width)
            self.assertEqual(TABLE in view[2], width > 110, view)
            self.assertGreaterEqual(max(map(len, view)), min(width, 80) - 20, view)

    def test_more_nodes_than_lines(self):
        terminal = self.up(self.write("many.yaml", many_sources(30)))
        view = self.wait_for_frame(
            terminal, lambda view: len(view) == 23 and "/s" in view[1], "the view"
        )
        self.assertEqual(view[-1], "… 9 more")
        self.assertRegex(view[1], "^api_0 +running")
        terminal.resize(80, 40)
        view = self.wait_for_frame(terminal, lambda view: len(view) == 31, "all of them")
        self.assertRegex(view[30], "^api_29 +running")
        self.frames(terminal, 2)
        self.assert_one_view(terminal)

    def test_a_node_that_waits_says_why_and_log_lines_go_by_above(self):
        terminal = self.up(self.file)
        self.wait_for_frame(terminal, lambda view: "running" in view[1], "it runs")
        self.status = 503
        view = self.wait_for_frame(terminal, lambda view: "waiting" in view[1], "it waits")
        self.assertRegex(view[1], r"^api +waiting +the server answered 503 with '.*…$")
        self.assertRegex(view[2], r"^shop.*running")
        above = terminal.wait_until(
            lambda lines: [line for line in lines[: self.header(lines)] if " W trying" in line],
            "a log line above",
        )
        self.assertRegex(above[0], r"^\d\d:\d\d:\d\d\.\d{3} W trying again in \d+m?s  node=api")
        terminal.wait_until(lambda lines: len(self.view(lines) or []) == 3, "the view below")
        self.status = 200
        self.wait_for_frame(terminal, lambda view: "running" in view[1], "it goes on")
        terminal.wait_until(lambda lines: any("I goes on  node=api" in x for x in lines), "told")
        self.frames(terminal, 2)
        self.assert_one_view(terminal)

    def test_ctrl_c_leaves_the_terminal_as_it_was(self):
        terminal = self.up(self.file)
        self.wait_for_frame(
            terminal, lambda view: len(view) == 3 and self.number(view, 2, "WRITTEN") > 0, "rows"
        )
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 0, terminal.seen())
        self.assertEqual(terminal.modes_after, terminal.modes)
        self.assertNotIn("STATE", terminal.seen())
        seen = terminal.seen()
        self.assertIn("stopping; once more to stop without waiting", seen)
        self.assertIn("every record is accounted for", seen)
        self.assertEqual(terminal.screen.column, 0)
        self.assertEqual(terminal.raw.count("\x1b[?2026h"), terminal.raw.count("\x1b[?2026l"))
        self.assertFalse(terminal.raw.rstrip().endswith("\x1b[31m"))

    def test_a_terminal_that_closes_ends_it(self):
        terminal = self.up(self.file)
        self.wait_for_frame(terminal, lambda view: "running" in view[1], "it runs")
        terminal.hang_up()
        wait_until(lambda: terminal.process.poll() is not None, "it has ended")
        self.assertGreaterEqual(terminal.process.returncode, 0)
        self.assert_balanced(self.millrace.status())

    def test_colours_are_for_those_who_want_them(self):
        for environment, arguments, coloured in (
            ({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False),
        ):  # fmt: skip
            with self.subTest(environment=environment, arguments=arguments):
                terminal = self.up(self.file, *arguments, **environment)
                self.wait_for_frame(terminal, lambda view: "running" in view[1], "it runs")
                self.assertEqual(bool(re.search(r"\x1b\[[0-9]*m", terminal.raw)), coloured)
                terminal.type("\x03")
                self.assertEqual(terminal.end(), 0)

    def test_a_terminal_without_a_cursor_gets_log_lines(self):
        for environment, arguments in (({"TERM": "dumb"}, []), ({}, ["--log", "text"])):
            with self.subTest(environment=environment, arguments=arguments):
                terminal = self.up(self.file, *arguments, **environment)
                terminal.wait_until(lambda lines: any("running" in x for x in lines), "it runs")
                terminal.type("\x03")
                self.assertEqual(terminal.end(), 0)
                self.assertNotIn("STATE", terminal.raw)
                (first, *_) = terminal.raw.splitlines()
                self.assertRegex(first, r"^\d\d:\d\d:\d\d\.\d{3} I running  pipeline=orders  file=")
                if "TERM" in environment:
                    self.assertNotIn("\x1b", terminal.raw)

    def test_the_view_is_on_stderr_and_the_summary_on_stdout(self):
        with (self.folder / "out").open("wb") as out:
            terminal = self.up(self.file, stdout=out)
            self.wait_for_frame(terminal, lambda view: "running" in view[1], "it runs")
            terminal.type("\x03")
            self.assertEqual(terminal.end(), 0)
        text = (self.folder / "out").read_text()
        self.assertNotIn("\x1b", text)
        self.assertIn("every record is accounted for", text)
        self.assertNotIn("accounted for", terminal.seen())


class Logs(Orders):
    """Where stderr is no terminal."""

    def log(self):
        return [json.loads(line) for line in self.millrace.log_text().splitlines()]

    def test_a_file_gets_json_lines(self):
        self.status = 503
        self.millrace.start(self.file).wait_until_up()
        wait_until(lambda: '"error"' in self.millrace.log_text(), "a warning")
        self.status = 200
        wait_until(lambda: "goes on" in self.millrace.log_text(), "it goes on")
        wait_until(lambda: '"rows":' in self.millrace.log_text(), "a line of numbers")
        process, self.millrace.process = self.millrace.process, None
        process.terminate()
        self.assertEqual(process.wait(), 0)
        text = self.millrace.log_text()
        self.assertNotIn("\x1b", text)
        logged, summary = text[: text.index("SOURCE")], text[text.index("SOURCE") :]
        self.assertIn("accounted for", summary)
        lines = [json.loads(line) for line in logged.splitlines()]
        for line in lines:
            self.assertEqual(list(line)[:3], ["time", "level", "message"])
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("info", "warning", "error"))
        messages = [line["message"] for line in lines]
        self.assertIn("running", messages)  # a source may have failed before it is said
        self.assertEqual(messages[-2:], ["stopping", "stopped"])
        (first, *_) = [line for line in lines if line["level"] == "warning"]
        self.assertEqual((first["node"], first["error_type"]), ("api", "unavailable"))
        self.assertIn("answered 503", first["error"])
        of_table = next(line for line in lines if line.get("node") == TABLE)
        for name, kind in (
            ("records", int), ("records_per_s", (int, float)), ("lag", int), ("rows", int),
            ("dead_letters", int), ("state", str),
        ):  # fmt: skip
            self.assertIsInstance(of_table[name], kind, name)

    def test_stderr_has_json_lines_and_nothing_else_whatever_goes_wrong(self):
        self.status = 404
        wrong = self.write("wrong.yaml", PIPELINE.replace("FROM orders", "FROM ordrs"))
        for arguments, words in (
            ([self.file, "--once"], "source api: "),
            ([wrong], "did you mean 'orders'"),
            (["gone.yaml"], "cannot open gone.yaml"),
            ([], "there are several pipeline files in this folder"),
            ([self.file, "--data-dir", self.file], "is no folder"),
        ):
            with self.subTest(arguments):
                answer = self.millrace.run("up", *arguments, code=1)
                last = [json.loads(line) for line in answer.err.splitlines()][-1]
                self.assertEqual(list(last)[:3], ["time", "level", "message"])
                self.assertEqual(last["level"], "error")
                self.assertIn(words, last["error"])
                self.assertEqual(bool(answer.out), "--once" in arguments)  # the summary
                if arguments == [wrong]:
                    self.assertRegex(last["place"], r"wrong\.yaml:\d+:\d+$")
        # A person who asked for text gets it.
        answer = self.millrace.run("up", "gone.yaml", "--log", "text", code=1)
        self.assertRegex(answer.err, "^millrace: cannot open gone.yaml: ")

    def test_log_lines_as_text_where_asked_for(self):
        self.millrace.start(self.file, "--log", "text").wait_until_up()
        wait_until(lambda: "running" in self.millrace.log_text(), "the first line")
        self.millrace.stop()
        (first, *_) = self.millrace.log_text().splitlines()
        self.assertRegex(first, r"^\d\d:\d\d:\d\d\.\d{3} I running  pipeline=orders")

    def test_lines_of_many_threads_are_whole(self):
        self.status = 503
        self.millrace.start(self.write("many.yaml", many_sources(20))).wait_until_up()
        wait_until(lambda: self.millrace.log_text().count("\n") > 100, "many lines")
        self.millrace.kill()
        nodes = {line["node"] for line in self.log() if line["level"] == "warning"}
        self.assertEqual(nodes, {f"api_{i}" for i in range(20)})


if __name__ == "__main__":
    unittest.main()
