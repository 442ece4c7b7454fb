#!/usr/bin/env python3
"""README.md and docs/ tell the truth: their commands run and their pipeline files are right.

In a fenced block

    ```console
    $ millrace up users.yaml --once
    ```

each line that begins with `$ ` is a command (one that ends in `\\` goes on in the next line), and
has to end with exit code 0. The blocks of one document are one shell session, in a copy of
examples/ with millrace on the PATH: `cd` and `export` stay. Other lines show output. They are not
compared, except with the marks below. A mark is an HTML comment in the line before the fence:

    <!-- test: output -->       the output is as shown; … stands for any text, alone in its line
                                for any lines
    <!-- test: exit 1 -->       the last command of the block ends with this code
    <!-- test: background -->   the commands run until the document ends; once the last one's API
                                answers, the document goes on; `background, port N` waits until
                                something listens there instead
    <!-- test: file PATH -->    the block, of any language, is what the reader saves as PATH
    <!-- test: skip, REASON --> the block is not run

A block in which a line begins with `millrace ` or `./dev ` is one of these, or has a mark.

A ```yaml block is a pipeline file, or a part of one that begins with `http:` or `since:`:
`millrace lint` finds nothing in it, beside the schemas of examples/users, and its tests pass.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import unittest

from millrace import SOURCE, Instance, MillraceTest, binary, wait_until

MARK = re.compile(r"<!-- test: (.*?) -->")
COMMANDS = ("millrace ", "./dev ")

# A file around a part of it.
PIPELINE = """name: part
sources:
  part:
{source}
    schema: randomuser.schema.json
    to: records
    select: SELECT email FROM part
topics: {{records: {{}}}}
tables: {{app.rows: {{primary_key: email, from: SELECT * FROM records}}}}
"""


class Block:
    def __init__(self, document, line, language, mark):
        self.place = f"{document}:{line}"
        self.language = language
        self.mark = mark
        self.lines = []

    def commands(self):
        """[command, lines of output shown]"""
        found = []
        goes_on = False
        for line in self.lines:
            if goes_on:
                found[-1][0] += "\n" + line
            elif line.startswith("$ "):
                found.append([line[2:], []])
            elif found:
                found[-1][1].append(line)
            goes_on = line.endswith("\\") and (goes_on or line.startswith("$ "))
        return found

    def has_commands_nobody_runs(self):
        is_known = self.mark or self.language == "console"
        return not is_known and any(line.startswith(COMMANDS) for line in self.lines)

    def pipeline_file(self):
        """The text of a block of YAML, with a file around it where it is a part."""
        key = self.lines[0].partition(":")[0]
        if key == "name":
            return "\n".join(self.lines) + "\n"
        above, indent = {
            "http": ([], 4), "since": (["    http:", "      url: sample://randomuser/api/"], 6),
        }[key]  # fmt: skip
        return PIPELINE.format(source="\n".join(above + [" " * indent + x for x in self.lines]))

    def expected_code(self):
        code = re.fullmatch(r"exit (\d+)", self.mark)
        return int(code.group(1)) if code else 0


def blocks_of(path):
    """The fenced blocks of a Markdown file."""
    blocks, inside, before = [], None, ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = re.match(r" *(```+)(\w*)", line)
        if inside is None and fence:
            mark = MARK.fullmatch(before.strip())
            name = path.relative_to(SOURCE)
            inside = Block(name, number, fence.group(2), mark.group(1) if mark else "")
            indent = len(line) - len(line.lstrip())
        elif inside is not None and fence and not fence.group(2):
            blocks.append(inside)
            inside = None
        elif inside is not None:
            inside.lines.append(line[indent:])
        before = line
    return blocks


def matches(shown, output):
    """Whether the output is as shown, … standing for what may differ."""
    pattern = ""
    for line in shown:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
            continue
        parts = [re.escape(part) for part in re.split(r" *… *", line.rstrip())]
        pattern += ".*".join(parts) + r"[ ]*\n"
    return re.fullmatch(pattern, output if output.endswith("\n") else output + "\n") is not None


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Session:
    """A shell whose folder and variables last from one command to the next."""

    def __init__(self, folder):
        self.folder = folder
        self.cwd = folder
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "millrace").symlink_to(binary())
        self.environment = {
            "PATH": f"{bin_folder}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb",
        }  # fmt: skip
        self.background = []

    def run(self, command):
        """(exit code, output) of a command."""
        state = self.folder / "state"
        keep = f"{{ pwd; env -0; }} > {shlex.quote(str(state))}"
        script = f"trap {shlex.quote(keep)} EXIT\n{command}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.cwd, env=self.environment, timeout=300,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        cwd, _, variables = state.read_text().partition("\n")
        self.cwd = pathlib.Path(cwd)
        pairs = [variable.partition("=") for variable in variables.split("\0") if variable]
        self.environment = {name: value for name, _, value in pairs}
        return done.returncode, done.stdout.decode()

    def start(self, command, port=None):
        """Starts a command that does not end by itself, and waits until it answers."""
        data_dir = re.search(r"--data-dir[ =](\S+)", command)
        default = self.environment.get("MILLRACE_DATA_DIR", "millrace-data")
        instance = Instance(self.cwd / (data_dir.group(1) if data_dir else default))
        instance.log = self.folder / "background.log"
        with instance.log.open("ab") as log:
            instance.process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.cwd, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.background.append(instance)
        if port is None:
            instance.wait_until_up()
        else:
            wait_until(lambda: listens(port), f"{command} listens on {port}")

    def end(self):
        for instance in self.background:
            instance.cleanup()


class Docs(MillraceTest):
    def session(self, name):
        folder = self.folder / name
        shutil.copytree(
            SOURCE / "examples", folder / "examples", ignore=shutil.ignore_patterns("millrace-data")
        )
        session = Session(folder)
        self.addCleanup(session.end)
        return session

    def run_block(self, session, block):
        commands = block.commands()
        for number, (command, shown) in enumerate(commands, 1):
            where = f"{block.place}: $ {command}"
            if block.mark.startswith("background"):
                port = re.fullmatch(r"background, port (\d+)", block.mark)
                session.start(command, int(port.group(1)) if port else None)
                continue
            code, output = session.run(command)
            wanted = block.expected_code() if number == len(commands) else 0
            self.assertEqual(code, wanted, f"{where}\n{output}")
            if block.mark == "output":
                self.assertTrue(matches(shown, output), f"{where}\n{output}")

    def lint_block(self, folder, block):
        shutil.copytree(SOURCE / "examples" / "users", folder, dirs_exist_ok=True)
        text = block.pipeline_file()
        (folder / "block.yaml").write_text(text)
        for name in re.findall(r"[\w.]+\.(?:pem|key)\b", text):
            (folder / name).write_text("-----BEGIN CERTIFICATE-----\n")
        secrets = dict.fromkeys(re.findall(r"\${secret:(\w+)}", text), "only-an-example")
        for command in ("lint", "test"):
            done = subprocess.run(
                [binary(), command, "block.yaml"], cwd=folder, capture_output=True, text=True,
                timeout=60, env=os.environ | secrets,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, f"{block.place}\n{done.stdout}{done.stderr}")

    def check_document(self, path):
        session = self.session(path.stem)
        for block in blocks_of(path):
            with self.subTest(block.place):
                self.assertFalse(
                    block.has_commands_nobody_runs(),
                    f"{block.place}: make it ```console, or mark it as test/docs_test.py says",
                )
                if block.mark.startswith("skip"):
                    self.assertRegex(block.mark, "^skip, .{10}", f"{block.place}: say why")
                elif block.mark.startswith("file "):
                    path = session.cwd / block.mark.removeprefix("file ")
                    path.write_text("\n".join(block.lines) + "\n")
                elif block.language == "console":
                    self.run_block(session, block)
                elif block.language == "yaml":
                    self.lint_block(session.folder / "lint", block)
        session.end()

    def test_commands_and_pipeline_files(self):
        documents = [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]
        for path in documents:
            if path.exists():
                self.check_document(path)

    def test_links_within_the_project_lead_somewhere(self):
        for path in [*SOURCE.glob("*.md"), *sorted((SOURCE / "docs").rglob("*.md"))]:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
                with self.subTest(f"{path.relative_to(SOURCE)}: {target}"):
                    self.assertTrue((path.parent / target).exists())

    def test_the_examples_are_right(self):
        files = sorted((SOURCE / "examples").rglob("*.yaml"))
        self.assertTrue(files)
        for file in files:
            self.instance().run("lint", file)
            self.instance().run("test", file)


class Reading(unittest.TestCase):
    """The blocks are found, and compared, as the text above says."""

    def test_commands(self):
        block = Block("a.md", 1, "console", "")
        block.lines = ["$ one", "shown", "$ two \\", "  more", "$ three"]
        self.assertEqual(
            block.commands(), [["one", ["shown"]], ["two \\\n  more", []], ["three", []]]
        )

    def test_commands_that_nobody_runs(self):
        for language, mark, line, wanted in (
            ("", "", "millrace up", True),
            ("sh", "", "./dev build", True),
            ("", "", "millraces", False),
            ("", "skip, it takes too long", "./dev build", False),
            ("console", "", "millrace up", False),
        ):
            block = Block("a.md", 1, language, mark)
            block.lines = ["first", line]
            self.assertEqual(block.has_commands_nobody_runs(), wanted, line)

    def test_parts_of_pipeline_files(self):
        block = Block("a.md", 1, "yaml", "")
        for first, wanted in (
            ("name: a", "name: a\n"),
            ("http:", "sources:\n  part:\n    http:\n    schema"),
            ("since: {}", "api/\n      since: {}\n    schema"),
        ):
            block.lines = [first]
            self.assertIn(wanted, block.pipeline_file())

    def test_output(self):
        self.assertTrue(matches(["a", "5 rows"], "a\n5 rows\n"))
        self.assertTrue(matches(["a … c"], "a b c\n"))
        self.assertTrue(matches(["a", "…"], "a\nb\nc\n"))
        self.assertFalse(matches(["a", "5 rows"], "a\n15 rows\n"))
        self.assertFalse(matches(["a"], "a\nb\n"))


if __name__ == "__main__":
    unittest.main()
