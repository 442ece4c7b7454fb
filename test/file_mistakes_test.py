#!/usr/bin/env python3
"""Mistakes in pipeline files, files that do not fit the data that is there, and data directories
that cannot be used: each is refused with a message that says what, where and what to do, and leaves
all as it was."""

import json
import unittest

from millrace import MillraceTest, by_name

PIPELINE = """\
name: people
sources:
  people:
    http: {url: "sample://randomuser/api/?results=20&seed=s"}
    items: results
    schema: person.schema.json
    to: people
    select: |
      SELECT login.uuid AS id,
             name.first AS name,
             dob.age AS age
      FROM people
topics:
  people: {key: id}
tables:
  app.people:
    primary_key: id
    from: SELECT id, name, age FROM people
    expect:
      is_named: name <> ''
"""

SCHEMA = {
    "type": "object",
    "properties": {
        "login": {
            "type": "object",
            "properties": {"uuid": {"type": "string", "format": "uuid"}},
        },
        "name": {"type": "object", "properties": {"first": {"type": "string"}}},
        "dob": {"type": "object", "properties": {"age": {"type": "integer"}}},
    },
}


def changed(old, new):
    assert PIPELINE.count(old) == 1, f"'{old}' stands {PIPELINE.count(old)} times in the file"
    return PIPELINE.replace(old, new)


def place(text, what):
    """LINE:COLUMN of where `what` stands first."""
    before = text[: text.index(what)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


class Mistakes(MillraceTest):
    def setUp(self):
        super().setUp()
        self.millrace = self.instance()
        self.write("person.schema.json", json.dumps(SCHEMA))
        self.file = self.write("people.yaml", PIPELINE)

    def refused(self, *arguments, **environment):
        """What a command that fails says; it says nothing else, and no more than that."""
        answer = self.millrace.run(*arguments, code=1, **environment)
        self.assertNotIn("\x1b", answer.err)
        self.assertEqual(answer.out, "", answer)
        return answer.said()


class InTheFile(Mistakes):
    """Found by lint and by up alike, before any data directory is made."""

    def assert_found(self, text, *problems):
        """`problems`: (LINE:COLUMN, what is said)."""
        self.write("people.yaml", text)
        linted = self.millrace.run("lint", "people.yaml", code=1)
        started = self.refused("up", "people.yaml")
        for where, message in problems:
            line = f"people.yaml:{where}: error: {message}"
            self.assertIn(line, linted.out)
            self.assertIn(line, started)
        self.assertFalse(self.millrace.data_dir.exists())

    def test_no_yaml(self):
        text = changed("    items: results", "    items: 'results")
        self.assert_found(
            text,
            ("21:1", "not YAML: illegal document indicator in scalar; a quote was opened and not"),
        )
        text = changed("    to: people", "   to: people")
        self.assert_found(text, (place(text, "to: people"), "not YAML: "))
        text = changed("    to: people", "\tto: people")
        self.assert_found(text, (place(text, "\tto"), "not YAML: "))

    def test_no_text_and_no_map(self):
        self.assert_found("", ("1:1", "the file is empty; docs/pipeline-file.md has an example"))
        self.assert_found("- people\n", ("1:1", "expected a map with keys of the file"))
        (self.folder / "people.yaml").write_bytes(PIPELINE.encode().replace(b"people\n", b"\xff\n"))
        self.assertIn("1:", self.refused("up", "people.yaml"))
        self.assertIn("not UTF-8", self.refused("up", "people.yaml"))

    def test_an_unknown_key(self):
        text = changed("    schema: ", "    scheme: ")
        self.assert_found(
            text,
            (place(text, "scheme"), "unknown key 'scheme'; did you mean 'schema'?"),
            (place(text, "people:\n    http"), "source has no 'schema'"),
        )
        text = changed("topics:", "topisc:")
        self.assert_found(text, ("13:1", "unknown key 'topisc'; did you mean 'topics'?"))
        text = changed("    expect:", "    colour: blue\n    expect:")
        self.assert_found(text, (place(text, "colour"), "unknown key 'colour'; table takes "))

    def test_a_value_that_cannot_be(self):
        text = changed('seed=s"', 'seed=s", every: often')
        self.assert_found(
            text, (place(text, "often"), "expected a duration such as 10s, got 'often'")
        )
        text = changed("sample://", "smaple://")
        self.assert_found(
            text, (place(text, '"smaple'), "expected an address that begins with http://")
        )
        text = changed('"sample://randomuser/api/?results=20&seed=s"', '"${env:NOWHERE}"')
        self.assert_found(
            text, (place(text, '"${env'), "environment variable NOWHERE is not set: set it, or")
        )
        text = changed("person.schema.json", "persons.schema.json")
        self.assert_found(
            text, (place(text, "persons.schema"), "cannot open persons.schema.json: No such file")
        )

    def test_sql_where_it_is_wrong(self):
        """In a block of several lines, in quotes, in a rule."""
        text = changed("dob.age AS age", "dob.aeg AS age")
        self.assert_found(text, (place(text, "aeg"), "Could not find key \"aeg\" in struct"))
        text = changed("             dob.age AS age\n", "             dob.age AS AS age\n")
        self.assert_found(text, (place(text, "age\n"), "syntax error at or near"))
        text = changed("SELECT id, name, age FROM", '"SELECT id, name, agee FROM').replace(
            "FROM people\n    expect", 'FROM people"\n    expect'
        )
        self.assert_found(text, (place(text, "agee"), ""))
        self.assertIn('"age"', self.refused("up", "people.yaml"))
        text = changed("is_named: name <> ''", "is_named: nmae <> ''")
        self.assert_found(text, (place(text, "nmae"), ""))
        text = changed("SELECT id, name, age FROM", "SELECT count(*) AS id FROM")
        self.assert_found(
            text,
            (place(text, "SELECT count"), "a pipeline's SELECT makes rows of one record"),
        )

    def test_names_that_nothing_has(self):
        text = changed("    to: people", "    to: poeple")
        self.assert_found(
            text, (place(text, "poeple"), "there is no topic 'poeple'; did you mean 'people'?")
        )
        text = changed("age FROM people", "age FROM poeple")
        self.assert_found(
            text,
            (place(text, "poeple"), "there is no topic 'poeple' to read; did you mean 'people'?"),
        )
        text = changed("primary_key: id", "primary_key: di")
        self.assert_found(text, (place(text, "di\n"), "table app.people has no column 'di'"))
        text = changed("{key: id}", "{key: ids}")
        self.assert_found(text, (place(text, "ids"), "topic people has no column 'ids'"))

    def test_a_cycle(self):
        """Tables read topics and nothing reads tables, so what goes round does not get far."""
        text = changed("age FROM people", "age FROM app.people")
        self.assert_found(
            text,
            (
                place(text, "app.people\n    expect"),
                "FROM app.people: only people can be read here, and no table",
            ),
        )
        tables = "".join(
            f"  app.{name}: {{primary_key: id, from: SELECT id FROM app.{other}}}\n"
            for name, other in (("one", "two"), ("two", "one"))
        )
        self.assert_found(
            PIPELINE + tables,
            ("21:55", "there is no topic 'two' to read; a table reads a topic, not a table"),
            ("22:55", "there is no topic 'one' to read; a table reads a topic, not a table"),
        )
        text = changed("topics:\n  people: {key: id}", "topics: &all\n  people: *all")
        self.assert_found(text, ("14:3", "unknown key 'people'; topic takes key, "))

    def test_a_file_that_is_not_there(self):
        self.assertIn("cannot open gone.yaml: No such file", self.refused("up", "gone.yaml"))
        self.assertIn("Is a directory", self.refused("up", "."))


class AgainstTheData(Mistakes):
    """A file that is right in itself, and says something else than the data directory."""

    def setUp(self):
        super().setUp()
        self.millrace.up_once(self.file)
        self.before = self.look()

    def look(self):
        """All that a change could have changed."""
        rows = self.millrace.rows("SELECT * FROM app.people ORDER BY id")
        topic = self.millrace.json("topic", "describe", "people")
        return rows, self.millrace.records("people"), topic

    def assert_refused(self, text, *messages):
        self.write("people.yaml", text)
        self.millrace.run("lint", "people.yaml")
        said = self.refused("up", "people.yaml", "--once")
        for message in messages:
            self.assertIn(message, said)
        self.assertEqual(self.look(), self.before)

    def test_a_primary_key(self):
        self.assert_refused(
            changed("primary_key: id", "primary_key: [id, name]"),
            "table app.people: the clustering columns were (), the pipeline file says (name)",
            "a table of another name",
        )
        self.assert_refused(
            changed("primary_key: id", "primary_key: name"),
            "table app.people: the partition key was (id), the pipeline file says (name)",
            "a table of another name",
        )

    def test_a_column_type(self):
        self.assert_refused(
            changed("name, age FROM", "name, CAST(age AS VARCHAR) AS age FROM"),
            "table app.people: column 'age' was BIGINT, the pipeline file says VARCHAR",
            "a table of another name",
        )

    def test_a_column_less_or_in_another_place(self):
        self.assert_refused(
            changed("SELECT id, name, age", "SELECT id, name"),
            "table app.people has a column 'age', the pipeline file has not",
        )
        self.assert_refused(
            changed("SELECT id, name, age", "SELECT id, age, name"),
            "table app.people: column 'name'", "new columns come last",
        )  # fmt: skip

    def test_a_topic(self):
        self.assert_refused(
            changed("{key: id}", "{key: id, partitions: 2}"),
            "topic people has 1 partition, the pipeline file says 2",
            "give the new number to a topic of another name",
        )
        self.assert_refused(
            changed("{key: id}", "{key: name}"),
            "topic people has the key 'id', the pipeline file says 'name'",
        )
        self.assert_refused(
            changed("{key: id}", "{key: id, format: avro}"),
            "topic people has values in the format json, the pipeline file says avro",
        )

    def test_another_source_and_another_topic(self):
        self.assert_refused(
            PIPELINE.replace("  people:\n    http", "  persons:\n    http").replace(
                "      FROM people", "      FROM persons"
            ),
            "topic people was fed by source people, up to page 1 of it; give that name to the "
            "source to go on there",
        )
        self.assert_refused(
            PIPELINE.replace("to: people", "to: others")
            .replace("people: {key", "others: {key")
            .replace("age FROM people", "age FROM others"),
            "table app.people is fed by topic people, the pipeline file says others",
        )
        self.assertEqual([t["name"] for t in self.millrace.json("topic", "list")], ["people"])

    def test_what_may_change(self):
        self.write(
            "people.yaml",
            changed("SELECT id, name, age FROM", "SELECT id, name, age, age > 17 AS adult FROM"),
        )
        self.millrace.up_once(self.file)
        (row,) = self.millrace.rows("SELECT count(*) AS n, count(adult) AS m FROM app.people")
        self.assertEqual((row["n"], row["m"]), (20, 20))


class DataDirectories(Mistakes):
    def test_in_use(self):
        self.millrace.start(self.file).wait_until_up()
        said = self.refused("up", self.file)
        self.assertIn(f"is in use by process {self.millrace.process.pid}", said)
        self.assertIn("stop it first, or use another folder", said)
        self.millrace.stop()

    def test_from_a_newer_version(self):
        self.millrace.up_once(self.file)
        path = self.millrace.data_dir / "format"
        good = path.read_text()
        path.write_text("millrace data directory, format 2\n")
        for arguments in (["up", self.file], ["status"], ["sql", "SELECT 1"]):
            said = self.refused(*arguments)
            self.assertIn("format 2", said)
            self.assertIn("and is from a newer version of millrace, this one reads format 1", said)
        path.write_text(good)
        topic = self.millrace.data_dir / "log" / "people" / "topic.json"
        good = topic.read_text()
        self.assertEqual(json.loads(good)["format"], 1)
        topic.write_text(json.dumps(json.loads(good) | {"format": 2}))
        said = self.refused("up", self.file)
        self.assertIn("topic.json", said)
        self.assertIn("this version reads format 1; use the version that wrote it", said)
        topic.write_text(good)
        self.millrace.up_once(self.file)

    def test_not_a_folder(self):
        self.write("data", "a file")
        self.assertIn("data: what is there is no folder", self.refused("up", self.file))

    def test_something_else_in_it(self):
        self.millrace.data_dir.mkdir()
        (self.millrace.data_dir / "precious.txt").write_text("mine")
        self.millrace.up_once(self.file)
        self.assertEqual((self.millrace.data_dir / "precious.txt").read_text(), "mine")


if __name__ == "__main__":
    unittest.main()
