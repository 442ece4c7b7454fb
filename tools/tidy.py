#!/usr/bin/env python3
"""The tidy checks: what STYLE.md asks for and a machine can see.

The rules are in tidy_text.py (any text), tidy_cpp.py (C++) and tidy_dead.py (files nobody needs);
tidy_test.py shows each of them a file that breaks it. tidy_allow.txt names the exceptions.

usage: tidy.py [TREE]     exits 1 after listing what is wrong and how to mend it
"""

import os
import pathlib
import sys

import tidy_cpp
import tidy_dead
import tidy_text
from tidy_text import Finding, SourceFile

SKIPPED_FOLDERS = {".git", ".cache", "__pycache__", "build", "millrace-data"}
TEXT_SUFFIXES = {
    ".cc", ".h", ".py", ".sh", ".cmake", ".md", ".txt", ".yaml", ".yml", ".json", ".sql", ".lock",
}  # fmt: skip
TEXT_FILES = {"dev", ".ci/run", ".clang-tidy", ".clang-format", ".gitignore"}
ALLOW_FILE = "tools/tidy_allow.txt"


def read_tree(tree):
    """Every text file of the tree but for generated and foreign ones."""
    files = []
    for folder, subfolders, names in os.walk(tree):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        for name in sorted(names):
            path = (pathlib.Path(folder) / name).relative_to(tree).as_posix()
            if path not in TEXT_FILES and pathlib.Path(name).suffix not in TEXT_SUFFIXES:
                continue
            text = (tree / path).read_bytes().decode("utf-8", errors="replace")
            files.append(SourceFile(path, text))
    return files


def read_allowed(files):
    """({(path, rule): line}, findings) of the lines 'PATH: RULE  # REASON'."""
    allowed, findings = {}, []
    for file in files:
        if file.path != ALLOW_FILE:
            continue
        for number, line in enumerate(file.lines, 1):
            exception, _, reason = line.partition("#")
            if not exception.strip():
                continue
            path, _, rule = exception.partition(":")
            if not rule.strip() or not reason.strip():
                problem = "write 'PATH: RULE  # the reason'"
                findings.append(Finding(file.path, number, "allow", problem))
            allowed[(path.strip(), rule.strip())] = number
    return allowed, findings


def check(tree):
    """What is wrong in the tree, as a sorted list of Findings."""
    files = read_tree(pathlib.Path(tree))
    allowed, findings = read_allowed(files)
    found = [*tidy_text.check(files), *tidy_cpp.check(files), *tidy_dead.check(files)]
    findings += [finding for finding in found if (finding.path, finding.rule) not in allowed]
    used = {(finding.path, finding.rule) for finding in found}
    for (path, rule), number in allowed.items():
        if (path, rule) not in used:
            problem = f"nothing in {path} needs an exception from '{rule}': remove the line"
            findings.append(Finding(ALLOW_FILE, number, "allow", problem))
    return sorted(set(findings))


def main():
    default = pathlib.Path(__file__).resolve().parent.parent
    findings = check(sys.argv[1] if len(sys.argv) > 1 else default)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.problem} [{finding.rule}]")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
