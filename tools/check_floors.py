#!/usr/bin/env python3
"""Checks that src/ is built as src/floors.txt says.

A file includes headers of its own room or of rooms on lower floors, each folder with sources is a
room that floors.txt names, and each room has a door, src/ROOM/ROOM.h, that opens with what the
room is for. cmake/rooms.cmake checks the same of what is linked.

usage: check_floors.py [TREE]     exits 1 after listing what is wrong
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
SUFFIXES = {".h", ".cc"}
DOOR_LINES = range(5, 21)  # of opening comment
WITHOUT_DOOR = {"cli"}  # nothing stands above it


def read_floors(path):
    """The floor of each room."""
    floors = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if not words[0].isdigit() or len(words) < 2:
            sys.exit(f"{path}:{number}: not 'FLOOR ROOM [ROOM ...]'")
        for room in words[1:]:
            if room in floors:
                sys.exit(f"{path}:{number}: room '{room}' is named twice")
            floors[room] = int(words[0])
    return floors


def check_include(room, target, floors):
    """What is wrong with an #include of target by a file of room, or None."""
    other, slash, _ = target.rpartition("/")
    if not slash:
        return f'"{target}" names no room: write "{room}/{target}", or <{target}> for a library'
    if other not in floors:
        return f"'{other}' is not a room of src/floors.txt: write <{target}> for a library"
    if other != room and floors[other] >= floors[room]:
        return (
            f"room '{room}' (floor {floors[room]}) may not use '{other}' (floor {floors[other]}): "
            "let it be handed down by whoever stands above both, or move what both need lower"
        )
    return None


def opening_comment(path):
    """How many // lines the file begins with."""
    count = 0
    for line in path.read_text().splitlines():
        if not line.startswith("//"):
            break
        count += 1
    return count


def check_doors(source, floors):
    for room in floors:
        if room in WITHOUT_DOOR:
            continue
        door = source / room / (room.rpartition("/")[2] + ".h")
        if not door.is_file():
            yield door, 1, f"room '{room}' has no door: write it, or take the room off floors.txt"
            continue
        lines = opening_comment(door)
        if lines not in DOOR_LINES:
            yield door, 1, (
                f"the door opens with {lines} comment lines, not {DOOR_LINES[0]} to "
                f"{DOOR_LINES[-1]}: what the room is for, who calls it, what it promises"
            )


def check_sources(source, floors):
    strange = set()
    for path in sorted(source.rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        room = path.parent.relative_to(source).as_posix()
        if room not in floors:
            if room not in strange:
                yield path, 1, f"folder '{room}' is not a room: name it on its floor in floors.txt"
            strange.add(room)
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            problem = match and check_include(room, match[1], floors)
            if problem:
                yield path, number, problem


def check(tree):
    """(file, line, problem) for all that is wrong in the tree."""
    source = tree / "src"
    floors = read_floors(source / "floors.txt")
    return [*check_doors(source, floors), *check_sources(source, floors)]


def main():
    default = pathlib.Path(__file__).resolve().parent.parent
    tree = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    problems = check(tree)
    for path, line, problem in problems:
        print(f"{path.relative_to(tree)}:{line}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
