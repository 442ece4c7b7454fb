"""A process on a terminal, and what a person sees there."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from millrace import DEADLINE_S

ESCAPE = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


class Screen:
    """The cells of a terminal that knows few escape sequences, and insists on those.

    `scrolled` are the lines that went off at the top. Each character has one column.
    """

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.rows = [""]
        self.row = self.column = 0
        self.scrolled = []
        self.is_wrapped = set()  # rows that go on in the next one

    def feed(self, text):
        at = 0
        while at < len(text):
            escape = ESCAPE.match(text, at)
            if escape:
                self.escape(*escape.groups())
                at = escape.end()
                continue
            assert text[at] != "\x1b", f"an unknown escape sequence: {text[at:at + 10]!r}"
            self.put(text[at])
            at += 1

    def escape(self, number, letter):
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K" and not number:
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif letter == "J" and not number:
            self.rows[self.row] = self.rows[self.row][: self.column]
            del self.rows[self.row + 1 :]
        else:
            # Looks, and the two ends of what is to be seen at once.
            assert letter == "m" or number == "?2026", f"an unknown sequence {number}{letter}"

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.is_wrapped.discard(self.row)
            self.line_feed()
        elif character >= " ":
            if self.column == self.width:
                self.is_wrapped.add(self.row)
                self.line_feed()
                self.column = 0
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1 :]
            self.column += 1

    def line_feed(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")
        self.scroll()

    def scroll(self):
        while len(self.rows) > self.height:
            self.scrolled.append(self.rows.pop(0))
            self.row = max(0, self.row - 1)
            self.is_wrapped = {row - 1 for row in self.is_wrapped if row > 0}

    def resize(self, width, height):
        """As most terminals do it: a line that is too long goes on in the next row."""
        rows = []
        for number, row in enumerate(self.rows):
            if number == self.row:
                new_row = len(rows)
            pieces = [row[at : at + width] for at in range(0, max(1, len(row)), width)]
            rows += pieces
        self.rows, self.row = rows, new_row
        self.width, self.height = width, height
        self.column = min(self.column, width)
        self.scroll()

    def lines(self):
        """What is seen, without empty lines at the end."""
        lines = [row.rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines


class OnTerminal:
    """A process whose stdin, stdout and stderr, or only stderr, are a terminal of its own."""

    def __init__(self, command, environment, width=80, height=24, cwd=None, stdout=None):
        self.leader, follower = pty.openpty()
        self.screen = Screen(width, height)
        self.raw = ""
        self.rest = b""
        self.set_size(width, height)
        self.modes = termios.tcgetattr(self.leader)

        def take_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command, stdin=follower, stdout=stdout or follower, stderr=follower, cwd=cwd,
            env={"TERM": "xterm-256color"} | environment, start_new_session=True,
            preexec_fn=take_terminal,
        )  # fmt: skip
        os.close(follower)

    def set_size(self, width, height):
        size = struct.pack("HHHH", height, width, 0, 0)
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, size)

    def resize(self, width, height):
        self.read_what_is_there()
        self.screen.resize(width, height)
        self.set_size(width, height)

    def read_what_is_there(self, wait_s=0.0):
        """Feeds the screen; False where nobody writes any more."""
        while select.select([self.leader], [], [], wait_s)[0]:
            try:
                part = os.read(self.leader, 65_536)
            except OSError:  # how Linux says that the other side is closed
                return False
            if not part:
                return False
            self.rest += part
            text = self.take_whole()
            self.raw += text
            self.screen.feed(text)
            wait_s = 0.0
        return True

    def take_whole(self):
        """What has come, but for a sequence or a character whose end has not."""
        end = len(self.rest)
        last = self.rest.rfind(b"\x1b")
        if last >= 0 and not re.match(rb"\x1b\[\??[0-9;]*[A-Za-z]", self.rest[last:]):
            end = last
        while True:
            try:
                text = self.rest[:end].decode()
                break
            except UnicodeDecodeError as error:
                end = error.start
        self.rest = self.rest[end:]
        return text

    def wait_until(self, condition, what):
        """Reads until `condition(lines seen)` is true, and returns its value."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            value = condition(self.screen.lines())
            if value:
                return value
            assert time.monotonic() < deadline, f"not: {what}; seen:\n" + self.seen()
            goes_on = self.read_what_is_there(wait_s=0.1)
            if not goes_on:
                value = condition(self.screen.lines())
                assert value, f"the process ended before {what}; seen:\n" + self.seen()
                return value

    def seen(self):
        return "\n".join(self.screen.scrolled + ["-" * 20] + self.screen.lines())

    def type(self, text):
        os.write(self.leader, text.encode())

    def end(self):
        """Reads to the end; the exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.read_what_is_there(wait_s=0.1):
            assert time.monotonic() < deadline, "the process does not end; seen:\n" + self.seen()
        code = self.process.wait(DEADLINE_S)
        self.modes_after = termios.tcgetattr(self.leader)
        return code

    def hang_up(self):
        """As a window that is closed."""
        leader, self.leader = self.leader, None
        os.close(leader)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.leader is not None:
            self.hang_up()
