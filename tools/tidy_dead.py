"""The tidy rule against dead files: what nobody includes, builds, imports, reads or names."""

import fnmatch
import re

from tidy_text import Finding

FOLDERS = ("src/", "test/", "tools/", "examples/", "cmake/", "bench/")
SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake", ".yaml", ".yml", ".json"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
ROOM = re.compile(r"^\s*millrace_room\((\S+?)[\s)]", re.MULTILINE)
GLOB = re.compile(r"[\w./${}-]*\*[\w./*-]*")
NAME = re.compile(r"[\w.-]+")
STRING = re.compile(r'"([^"\n]+)"')


class Mentions:
    """Who mentions what, over all files of the tree."""

    def __init__(self, files):
        self.includers = {}  # header as included -> paths
        self.namers = {}  # file name, or word -> paths
        self.globs = set()
        self.folders = {}  # folder as named in a string or a path -> paths
        for file in files:
            if file.is_cpp:
                for header in INCLUDE.findall(file.text):
                    self.includers.setdefault(header, set()).add(file.path)
            for name in set(NAME.findall(file.text)):
                self.namers.setdefault(name.rstrip("."), set()).add(file.path)
            if file.is_code:
                self.add_globs_and_folders(file)
        self.rooms = set()
        for file in files:
            if file.name == "CMakeLists.txt":
                self.rooms.update(ROOM.findall(file.text))

    def add_globs_and_folders(self, file):
        here = file.path.rpartition("/")[0]
        for glob in GLOB.findall(file.text):
            glob = re.sub(r"\$\{\w*SOURCE_DIR\}/", "", glob)
            self.globs.update({glob, f"{here}/{glob}"} if "/" in glob or here else {glob})
        for string in STRING.findall(file.text):
            self.folders.setdefault(string.strip("/").rpartition("/")[2], set()).add(file.path)

    def others(self, table, key, path):
        return table.get(key, set()) - {path}


def is_alive(file, mentions):
    parent, _, name = file.path.rpartition("/")
    if file.path.startswith("src/") and file.suffix == ".h":
        if name == parent.rpartition("/")[2] + ".h":
            return True  # a room's door is its README too; check_floors.py wants it
        own_source = file.path.removesuffix(".h") + ".cc"
        header = file.path.removeprefix("src/")
        return bool(mentions.others(mentions.includers, header, own_source) - {file.path})
    if file.path.startswith("src/") and file.suffix == ".cc" and name != "main.cc":
        return parent.removeprefix("src/") in mentions.rooms
    if mentions.others(mentions.namers, name, file.path):
        return True
    if file.suffix == ".py" and any(
        path.endswith(".py")
        for path in mentions.others(mentions.namers, name.removesuffix(".py"), file.path)
    ):
        return True
    if file.suffix == ".cmake" and mentions.others(
        mentions.namers, name.removesuffix(".cmake"), file.path
    ):
        return True
    if any(fnmatch.fnmatch(file.path, glob) for glob in mentions.globs if len(glob) > 3):
        return True
    # Test data is named by the folder it lies in, below the folders that everything lies in.
    folders = parent.split("/")[1:]
    return any(mentions.folders.get(folder) for folder in folders)


def check(files):
    mentions = Mentions(files)
    for file in files:
        if not file.path.startswith(FOLDERS) or file.suffix not in SUFFIXES:
            continue
        if not is_alive(file, mentions):
            what = "includes" if file.suffix == ".h" else "builds, reads or names"
            yield Finding(file.path, 1, "dead-file", f"nothing {what} this file: remove it")
