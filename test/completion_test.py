#!/usr/bin/env python3
"""Tab in bash, zsh and fish: commands, options, and names that the data directory has."""

import contextlib
import os
import pty
import select
import shutil
import subprocess
import unittest

from millrace import DEADLINE_S, MillraceTest, binary, wait_until

PIPELINE = """
name: people
sources:
  people_api:
    http: {url: "sample://randomuser/api/?results=20&seed=tab"}
    items: results
    schema: people.schema.json
    to: people
    select: SELECT login.uuid AS id, gender FROM people_api
topics:
  people: {key: id}
tables:
  shop.people:
    primary_key: id
    from: SELECT * FROM people
    expect: {is_woman: "gender = 'female'"}
"""
SCHEMA = """{"type": "object", "properties": {"gender": {"type": "string"},
  "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}}}}"""

BASH = """
source <(millrace completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_millrace
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(MillraceTest):
    def setUp(self):
        super().setUp()
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "millrace").symlink_to(binary())
        self.millrace = self.instance()
        self.write("people.schema.json", SCHEMA)
        self.write("people.yaml", PIPELINE)
        self.millrace.up_once("people.yaml")
        self.environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TERM": "xterm",
            "MILLRACE_DATA_DIR": str(self.millrace.data_dir),
        }

    def complete(self, *words):
        """What the hidden command offers, without what is said about it."""
        out = self.millrace.run("complete", *words).out
        return [line.split("\t")[0] for line in out.splitlines()]

    def test_every_command_and_option_is_offered(self):
        def walk(words, seen):
            for name in self.complete(*words, ""):
                if name.startswith(":") or len(words) > 2:
                    continue
                shown = self.millrace.run(*words, name, "--help").out
                self.assertIn("--help", shown)
                for option in self.complete(*words, name, "--"):
                    self.assertIn(option, shown)
                seen.append((*words, name))
                if "COMMAND" in shown:
                    walk((*words, name), seen)

        seen = []
        walk((), seen)
        for command in (("up",), ("topic", "produce"), ("dlq", "redrive"), ("completion",)):
            self.assertIn(command, seen)
        described = self.millrace.run("complete", "").out
        self.assertIn("lint\tCheck a pipeline file", described)
        self.assertNotIn("complete\t", described)

    def test_names_come_from_the_data_directory(self):
        self.assertEqual(self.complete("topic", "consume", "pe"), ["people"])
        topics = ["people", "shop.people.dead_letters"]
        self.assertEqual(self.complete("topic", "describe", ""), topics)
        self.assertEqual(self.complete("topic", "describe", "people", ""), [])
        self.assertEqual(self.complete("tap", ""), ["people_api", "shop.people"])
        self.assertEqual(self.complete("dlq", "list", "--node", "shop"), ["shop.people"])
        self.assertEqual(self.complete("table", "rebuild", ""), ["shop.people"])
        self.assertEqual(self.complete("dlq", "redrive", "--rule", ""), ["is_woman"])
        self.assertIn("shop.people/0/0", self.complete("dlq", "show", "sh"))
        self.assertEqual(self.complete("dlq", "list", "--stage", ""), ["decode", "sql", "expect"])
        self.assertEqual(self.complete("sql", "-o", "c"), ["csv"])
        self.assertEqual(self.complete("status", "-o", ""), ["text", "json"])
        self.assertEqual(self.complete("status", "--output=j"), ["--output=json"])
        self.assertEqual(self.complete("status", "--output", "=", "j"), ["json"])
        self.assertEqual(self.complete("completion", ""), ["bash", "zsh", "fish"])
        for data_dir in (self.millrace.data_dir, self.folder / "none"):
            found = topics if data_dir == self.millrace.data_dir else []
            environment = {"MILLRACE_DATA_DIR": str(self.folder / "nothing")}
            for words in (
                ("topic", "--data-dir", data_dir, "consume", ""),
                ("topic", "consume", f"--data-dir={data_dir}", ""),
            ):
                answer = self.millrace.run("complete", *words, **environment)
                self.assertEqual(answer.out.splitlines(), found)
                self.assertEqual(answer.err, "")
        self.millrace.start("people.yaml").wait_until_up()
        self.assertEqual(self.complete("topic", "consume", "pe"), ["people"])
        self.millrace.stop()

    def test_options_stand_after_groups_too(self):
        environment = {"MILLRACE_DATA_DIR": str(self.folder / "nothing")}
        data_dir = self.millrace.data_dir
        wanted = self.millrace.run("topic", "list", "-o", "json").out
        for words in (
            ("--data-dir", data_dir, "topic", "list", "-o", "json"),
            ("topic", "--data-dir", data_dir, "-o", "json", "list"),
            ("topic", "-o", "json", "list", "--data-dir", data_dir),
        ):
            self.assertEqual(self.millrace.run(*words, **environment).out, wanted)
        answer = self.millrace.run("topic", "-o", "csv", "list", code=2)
        self.assertIn("only sql prints csv", answer.err)

    def test_of_an_unknown_shell_there_is_none(self):
        answer = self.millrace.run("completion", "tcsh", code=2)
        self.assertIn("tcsh", answer.err)

    def in_bash(self, *words):
        done = subprocess.run(
            ["bash", "--norc", "-c", BASH, "bash", *map(str, words)], env=self.environment,
            cwd=self.folder, capture_output=True, text=True, timeout=DEADLINE_S, check=True,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        return sorted(done.stdout.split())

    def test_bash(self):
        self.assertEqual(self.in_bash("millrace", "topic", "desc"), ["describe"])
        self.assertEqual(self.in_bash("millrace", "topic", "consume", "people"), ["people"])
        (self.folder / "notes.txt").touch()
        files = self.in_bash("millrace", "lint", "")
        self.assertIn("people.yaml", files)
        self.assertIn("bin", files)
        self.assertNotIn("notes.txt", files)
        files = self.in_bash("millrace", "topic", "produce", "people", "-f", "n")
        self.assertEqual(files, ["notes.txt"])
        self.assertEqual(self.in_bash("millrace", "status", "--data-dir", "b"), ["bin"])
        words = ("millrace", "topic", "--data-dir", "~/data", "consume", "p")
        self.assertEqual(self.in_bash(*words), ["people"])

    def in_fish(self, text):
        script = f"millrace completion fish | source; complete -C '{text}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script], env=self.environment, cwd=self.folder,
            capture_output=True, text=True, timeout=DEADLINE_S, check=True,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    @unittest.skipUnless(shutil.which("fish"), "there is no fish")
    def test_fish(self):
        self.assertEqual(self.in_fish("millrace topic desc"), ["describe"])
        self.assertEqual(self.in_fish("millrace topic consume peop"), ["people"])
        self.assertEqual(self.in_fish("millrace lint peo"), ["people.yaml"])
        self.assertIn("people.schema.json", self.in_fish("millrace topic produce people -f peo"))
        self.assertEqual(self.in_fish("millrace status --data-dir b"), ["bin/"])
        self.assertEqual(self.in_fish("millrace status --output=j"), ["--output=json"])

    def type_in(self, shell, prepare, *parts):
        """Types `parts` at the shell's terminal, each once what comes before it is done."""
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.execvpe(shell[0], shell, self.environment)
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, process, 0)
        self.addCleanup(os.kill, process, 9)
        screen = bytearray()

        def shows(text):
            with contextlib.suppress(OSError):
                while select.select([terminal], [], [], 0.05)[0]:
                    screen.extend(os.read(terminal, 65_536))
            return text.encode() in screen

        os.write(terminal, f"{prepare}; echo re''ady\n".encode())
        wait_until(lambda: shows("ready"), "the shell is ready")
        for part, then in parts:
            del screen[:]
            os.write(terminal, part.encode())
            wait_until(lambda then=then: shows(then), f"'{then}' after '{part}'")
        return bytes(screen)

    def assert_tab_works(self, shell, prepare):
        # Enter, and what the commands print, tell what stood in the line.
        self.type_in(
            shell, prepare,
            ("millrace topic desc\t", "ribe"),
            ("peo\t", "ple"),
            ("--no-col\t", "or"),
            ("\n", "PARTITION"),
        )  # fmt: skip

    def test_bash_at_a_terminal(self):
        prepare = "source <(millrace completion bash)"
        self.assert_tab_works(["bash", "--norc", "--noprofile", "-i"], prepare)

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_at_a_terminal(self):
        prepare = "autoload -U compinit; compinit -u; source <(millrace completion zsh)"
        self.assert_tab_works(["zsh", "-f", "-i"], prepare)
        self.type_in(
            ["zsh", "-f", "-i"], prepare,
            ("millrace lint peo\t", "ple.yaml"), ("\n", "no problems"),
        )  # fmt: skip


if __name__ == "__main__":
    unittest.main()
