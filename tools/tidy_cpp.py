"""Tidy rules for C++: how files open, which include comes first, how long functions are."""

import re

from tidy_text import Finding, check_function

# What is not code: preprocessor lines with their continuations, comments, literals.
NOT_CODE = re.compile(
    r"""(?P<raw>R"(?P<end>[^()\\\s"]{0,16})\(.*?\)(?P=end)")
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'
      | //[^\n]*
      | /\*.*?\*/
      | ^[ ]*\#(?:\\\n|[^\n])*""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
INCLUDE = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|extern)\b[^()=]*$")
WITHOUT_OWN_HEADER = ("_test.cc", "_bench.cc", "_fuzz.cc", "main.cc")


def code_only(text):
    """The text with what is not code blanked out, line for line and column for column."""
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def functions(text):
    """(name, first line, last line) of each function that stands in a namespace or class.

    A measure for code that clang-format has laid out: a function's body is a brace after a space
    whose declaration has a parameter list. Lambdas and local classes count with the function they
    stand in; initializers (`= {`, `name{`) are data, however long.
    """
    code = code_only(text)
    open_braces = []  # for each: (starts a scope?, function's name or None, first line)
    declaration = 0  # where the declaration that a brace would belong to begins
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        in_scope = all(scope for scope, _, _ in open_braces)
        if match[0] == "{":
            head = code[declaration:at]
            name = function_name(head) if in_scope else None
            is_scope = in_scope and bool(SCOPE.search(head))
            first = code.count("\n", 0, declaration + len(head) - len(head.lstrip())) + 1
            open_braces.append((is_scope, name, first))
            in_scope = is_scope
        elif match[0] == "}" and open_braces:
            was_scope, name, first = open_braces.pop()
            if name:
                yield name, first, code.count("\n", 0, at) + 1
            # After a constructor's `member{value}` the same declaration goes on.
            in_scope = was_scope or bool(name)
        if in_scope:
            declaration = at + 1


def function_name(head):
    """The name of the function whose body follows head, or None."""
    head = re.sub(r"^\s*(?:(?:public|protected|private)\s*:\s*)+", "", head)
    if not head[-1:].isspace() or head.rstrip()[-1:] in {"=", ",", "(", "{", "]"}:
        return None
    match = re.search(r"([\w:~]+|operator\W{1,3})\s*\(", head)
    return match[1] if match else None


def check_functions(file):
    for name, first, last in functions(file.text):
        yield from check_function(name, first, last)


def check_opening(file):
    if file.suffix == ".h":
        if not file.text.startswith("// "):
            yield 1, "opening", "a header opens with a comment that says what it is for"
        if not re.search(r"^#pragma once$", file.text, re.MULTILINE):
            yield 1, "pragma-once", "no '#pragma once': add it under the opening comment"
    elif not file.text.startswith(("// ", "#include ")):
        yield 1, "opening", "a source opens with a comment or its own header"


def check_own_header(file, paths):
    own = re.sub(r"\.cc$", ".h", file.path)
    if own == file.path or file.path.endswith(WITHOUT_OWN_HEADER) or own not in paths:
        return
    first = INCLUDE.search(file.text)
    wanted = own.removeprefix("src/")
    if not first or first[1] != wanted:
        yield 1, "own-header", f'include "{wanted}" first: so it is known to stand by itself'


def check(files):
    paths = {file.path for file in files}
    for file in files:
        if not file.is_cpp:
            continue
        found = [*check_functions(file), *check_opening(file), *check_own_header(file, paths)]
        for line, name, problem in found:
            yield Finding(file.path, line, name, problem)
