#!/usr/bin/env python3
"""Shows each tidy rule, and each rule of the floors, a small tree that breaks it."""

import pathlib
import tempfile
import unittest

import check_floors
import tidy
import tidy_cpp

FLOORS = "0 base\n1 io log\n2 door/http\n"
DOOR = "// A room.\n//\n// What it is for,\n// who calls it,\n// what it promises.\n#pragma once\n"
GOOD = {
    "src/floors.txt": FLOORS,
    "src/base/base.h": DOOR,
    "src/io/io.h": DOOR + '#include "base/base.h"\n',
    "src/io/io.cc": '#include "io/io.h"\n',
    "src/log/log.h": DOOR + "#include <vector>\n",
    "src/door/http/http.h": DOOR + '#include "log/log.h"\n',
    "CMakeLists.txt": "millrace_room(base)\nmillrace_room(io ROOMS base)\n"
    "file(GLOB cases ${CMAKE_SOURCE_DIR}/test/*_test.py)\n",
    "test/users_test.py": 'open("cases/users.json")\n',
    "test/cases/users.json": "{}\n",
}


def tree_with(folder, changes):
    for path, text in (GOOD | changes).items():
        if text is None:
            continue
        file = pathlib.Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def tidy_findings(changes):
    with tempfile.TemporaryDirectory() as folder:
        tree_with(folder, changes)
        return [(finding.path, finding.line, finding.rule) for finding in tidy.check(folder)]


def floor_problems(changes):
    with tempfile.TemporaryDirectory() as folder:
        tree_with(folder, changes)
        found = check_floors.check(pathlib.Path(folder))
        return [(path.relative_to(folder).as_posix(), line) for path, line, _ in found]


class TextRules(unittest.TestCase):
    def expect(self, rule, path, text, line=1):
        self.assertIn((path, line, rule), tidy_findings({path: text}))

    def test_a_good_tree_has_no_findings(self):
        self.assertEqual(tidy_findings({}), [])

    def test_white_space(self):
        self.expect("white-space", "docs/a.md", "no newline")
        self.expect("white-space", "docs/a.md", "a \n")
        self.expect("white-space", "docs/a.md", "a\tb\n")
        self.expect("white-space", "docs/a.md", "a\r\n")
        self.expect("white-space", "docs/a.md", "a\n\n", line=2)

    def test_sizes(self):
        self.expect("size", "src/io/io.h", DOOR + "\n" * 200, line=201)
        self.expect("size", "src/io/io.cc", '#include "io/io.h"\n' * 501, line=501)
        self.expect("columns", "src/io/io.cc", f"// {'a' * 98}\n")
        self.expect("function-size", "test/users_test.py", "def f():\n" + "    pass\n" * 70)

    def test_words(self):
        for word in ("TODO", "fixme", "XXX", "hack", "FileSink", "sinks", "foobar"):
            self.assertEqual(len(tidy_findings({"docs/a.md": f"a {word} b\n"})), 1, word)
        for name in ("string_utils", "LogManager", "kMisc", "helper"):
            changes = {"src/io/io.cc": f'#include "io/io.h"\nint {name};\n'}
            self.assertEqual(len(tidy_findings(changes)), 1, name)
        self.expect("util", "src/io/file_utils.cc", "// Files.\n")
        self.assertEqual(tidy_findings({"docs/a.md": "hacker, misconception, sinking\n"}), [])

    def test_ruled_comments(self):
        for comment in ("// ----", "// ==== Reading ====", "////////", "// Reading ------"):
            self.expect("ruled-line", "src/io/io.cc", comment + "\n")
        self.expect("ruled-line", "test/users_test.py", "# -----\n")
        self.assertEqual(tidy_findings({"src/io/io_test.cc": "// a -- b\n// +----+\n"}), [])

    def test_leaks(self):
        self.expect("home-path", "docs/a.md", "see /home/" + "jo/notes\n")
        self.expect("home-path", "docs/a.md", "see /ro" + "ot/notes\n")
        self.expect("secret", "docs/a.md", "-----BEGIN RSA " + "PRIVATE KEY-----\n")
        self.assertEqual(tidy_findings({"docs/a.md": "~/home/x $HOME/root a/root/b\n"}), [])

    def test_exceptions(self):
        bad = {"docs/a.md": "a sink\n"}
        allowed = bad | {tidy.ALLOW_FILE: "docs/a.md: sink  # the word of another project\n"}
        self.assertEqual(tidy_findings(allowed), [])
        for line in ("docs/a.md: sink\n", "docs/b.md: sink  # nothing there needs it\n"):
            found = tidy_findings({tidy.ALLOW_FILE: line})
            self.assertIn((tidy.ALLOW_FILE, 1, "allow"), found)


class CppRules(unittest.TestCase):
    def expect(self, rule, path, text, line=1):
        self.assertIn((path, line, rule), tidy_findings({path: text}))

    def test_openings(self):
        self.expect("opening", "src/io/io.h", "#pragma once\n")
        self.expect("opening", "src/io/io.cc", "int a;\n")
        self.expect("pragma-once", "src/io/io.h", "// A room.\n")
        self.expect("own-header", "src/io/io.cc", '#include <vector>\n\n#include "io/io.h"\n')
        self.assertEqual(tidy_findings({"src/io/io_test.cc": "#include <vector>\n"}), [])

    def test_long_functions(self):
        body = "  f();\n" * 68
        fits = f'#include "io/io.h"\nvoid f() {{\n{body}}}\n'
        self.assertEqual(tidy_findings({"src/io/io.cc": fits}), [])
        long = f'#include "io/io.h"\nvoid f() {{\n  g();\n{body}}}\n'
        self.expect("function-size", "src/io/io.cc", long, line=2)

    def test_what_is_a_function(self):
        text = """
#define MACRO(x) {
namespace a::b {
constexpr std::array kTable = {
    Row{1, f(2)},
};
struct Point : Base<int> {
  Point(int x, int y)
      : x_{x}, y_(y) {
    use("}{", '{', 16'384, R"x({)x");  // {
  }
  bool operator==(const Point&) const = default;
  int x_{0};
};
Result<std::string> read(
    const Path& path) {
  auto later = [&] { return 1; };
  struct Local {
    int get() { return 1; }
  };
  return {};
}
auto twice(int x) -> int {
  return 2 * x;
}
TEST(Room, Works) {
}
}  // namespace a::b
"""
        expected = [("Point", 8, 11), ("read", 15, 22), ("twice", 23, 25), ("TEST", 26, 27)]
        self.assertEqual(list(tidy_cpp.functions(text)), expected)


class DeadFiles(unittest.TestCase):
    def test_dead(self):
        dead = {
            "src/io/unused.h": "// A header.\n#pragma once\n",
            "src/log/log.cc": '#include "log/log.h"\n',  # CMake does not know the room log
            "test/left_over.py": "pass\n",
            "test/old/cases.json": "{}\n",
            "tools/old.sh": "true\n",
            "examples/old/old.yaml": "a: 1\n",
            "cmake/old.cmake": "set(a 1)\n",
        }
        for path, text in dead.items():
            self.assertEqual(tidy_findings({path: text}), [(path, 1, "dead-file")])

    def test_a_header_that_only_its_own_source_includes_is_dead(self):
        pair = {
            "src/io/own.h": "// A header.\n#pragma once\n",
            "src/io/own.cc": '#include "io/own.h"\n',
        }
        self.assertEqual(tidy_findings(pair), [("src/io/own.h", 1, "dead-file")])

    def test_alive(self):
        alive = {
            "docs/start.md": "Run examples/users/users.yaml.\n",
            "examples/users/users.yaml": "schema: users.schema.json\n",
            "examples/users/users.schema.json": "{}\n",
            "test/users_test.py": "import ports\n'users.json'\n",
            "test/ports.py": "pass\n",
        }
        self.assertEqual(tidy_findings(alive), [])


class Floors(unittest.TestCase):
    def test_a_good_tree_has_no_problems(self):
        self.assertEqual(floor_problems({}), [])

    def test_includes(self):
        include = '#include "io/io.h"\n\n'
        for target in ("log/log.h", "door/http/http.h", "nowhere/a.h", "io.h"):
            changes = {"src/io/io.cc": include + f'#include "{target}"\n'}
            self.assertEqual(floor_problems(changes), [("src/io/io.cc", 3)], target)
        self.assertEqual(floor_problems({"src/io/io.cc": include + "#include <duckdb.h>\n"}), [])

    def test_a_folder_must_be_a_room(self):
        changes = {"src/attic/a.h": DOOR, "src/attic/b.h": DOOR}
        self.assertEqual(floor_problems(changes), [("src/attic/a.h", 1)])

    def test_doors(self):
        self.assertEqual(floor_problems({"src/log/log.h": None}), [("src/log/log.h", 1)])
        for text in ("#pragma once\n", "// Short.\n" * 4, "// Long.\n" * 21):
            self.assertEqual(floor_problems({"src/log/log.h": text}), [("src/log/log.h", 1)])
        self.assertEqual(floor_problems({"src/floors.txt": FLOORS + "3 cli\n"}), [])


if __name__ == "__main__":
    unittest.main()
