"""Tidy rules for any text file: white space, length, words, ruled lines, what must not leak."""

import ast
import re
from typing import NamedTuple


class Finding(NamedTuple):
    path: str  # from the root of the tree
    line: int
    rule: str  # what tidy_allow.txt calls it
    problem: str  # what is wrong and how to mend it


class SourceFile:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.splitlines()
        self.name = path.rpartition("/")[2]
        self.suffix = "." + self.name.rpartition(".")[2] if "." in self.name else ""
        self.is_cpp = self.suffix in {".h", ".cc"}
        self.is_code = (
            self.suffix in {".h", ".cc", ".py", ".sh", ".cmake"}
            or path in {"dev", ".ci/run"}
            or self.name == "CMakeLists.txt"
        )


COLUMNS_MAX = 100
LINES_MAX = {".h": 200, ".cc": 500, ".py": 500, ".sh": 300}
FUNCTION_LINES_MAX = 70

# Words of other trades, or that say nothing. In prose and code alike:
BANNED = {
    "todo": "do it, or open an issue",
    "fixme": "mend it, or open an issue",
    "xxx": "say what is meant",
    "hack": "say why the code is as it is",
    "sink": "a pipeline writes to a table",
    "foobar": "use an example from the trade",
}
# And in code, where a name made of them hides what the thing is for:
BANNED_IN_CODE = {
    "util": "name it after what it does",
    "helper": "name it after what it does",
    "manager": "name it after what it holds or does",
    "misc": "name it after what it holds",
}
WORDS_IN = ("src/", "docs/", "examples/", "test/", "bench/", "README.md", "ARCHITECTURE.md")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

RULED_COMMENT = re.compile(r"(?://|#)\s*[-=*~_#/]{4,}|(?://|#).*[-=*~_#]{4,}\s*$")
HOME_PATH = re.compile(r"(?<![\w.~}$])/(?:root|home/\w+|Users/\w+)\b")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b")


def check_white_space(file):
    if file.text and not file.text.endswith("\n"):
        yield len(file.lines), "white-space", "no newline at the end of the file: add it"
    if file.text.endswith("\n\n"):
        yield len(file.lines), "white-space", "empty line at the end of the file: remove it"
    if "\r" in file.text:
        yield 1, "white-space", "carriage returns: save it with Unix line ends"
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip():
            yield number, "white-space", "white space at the end of the line: remove it"
        if "\t" in line:
            yield number, "white-space", "a tab: use spaces, or \\t in a string"


def check_size(file):
    limit = LINES_MAX.get(file.suffix)
    if limit and len(file.lines) > limit:
        yield limit + 1, "size", (
            f"{len(file.lines)} lines, where a {file.suffix} file has at most {limit}: "
            "split it where a second subject begins"
        )
    if not file.is_code:
        return
    for number, line in enumerate(file.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, "columns", f"{len(line)} columns: break the line before {COLUMNS_MAX}"


def check_python_functions(file):
    if file.suffix != ".py":
        return
    for node in ast.walk(ast.parse(file.text, file.path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from check_function(node.name, node.lineno, node.end_lineno)


def check_function(name, first_line, last_line):
    length = last_line - first_line + 1
    if length > FUNCTION_LINES_MAX:
        yield first_line, "function-size", (
            f"{name} has {length} lines, a function at most {FUNCTION_LINES_MAX}: "
            "give its parts names of their own"
        )


def check_words(file):
    if not file.path.startswith(WORDS_IN):
        return
    banned = BANNED | BANNED_IN_CODE if file.is_code else BANNED
    texts = enumerate([file.path, *file.lines])  # line 0 is the file's name
    for number, line in texts:
        for word in WORD.findall(line):
            word = word.lower()
            word = word if word in banned else word.removesuffix("s")
            if word in banned:
                yield max(number, 1), word, f"the word '{word}': {banned[word]}"


def check_ruled_comments(file):
    if not file.is_code and file.suffix not in {".yaml", ".yml"}:
        return
    for number, line in enumerate(file.lines, 1):
        start = line.lstrip()
        if start.startswith("//" if file.is_cpp else "#") and RULED_COMMENT.match(start):
            yield number, "ruled-line", (
                "a ruled line in a comment: remove it; a file that needs sections wants to be two"
            )


def check_leaks(file):
    for number, line in enumerate(file.lines, 1):
        if HOME_PATH.search(line):
            yield number, "home-path", "a path of someone's home: use a relative path or $HOME"
        if SECRET.search(line):
            yield number, "secret", "looks like a secret: remove it and revoke it"


RULES = (
    check_white_space,
    check_size,
    check_python_functions,
    check_words,
    check_ruled_comments,
    check_leaks,
)


def check(files):
    for file in files:
        for rule in RULES:
            for line, name, problem in rule(file):
                yield Finding(file.path, line, name, problem)
