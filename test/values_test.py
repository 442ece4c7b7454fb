#!/usr/bin/env python3
"""A topic of Avro values, keys of two columns and rows with a time to live, by the whole binary."""

import json
import unittest

from millrace import MillraceTest

SCHEMA = {
    "type": "object",
    "properties": {
        "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}},
        "name": {"type": "object", "properties": {"first": {"type": "string"}}},
        "nat": {"type": "string"},
        "dob": {
            "type": "object",
            "properties": {"date": {"type": "string", "format": "date-time"}},
        },
        "location": {
            "type": "object",
            "properties": {"postcode": {"type": ["integer", "string"]}},
        },
    },
}

FILE = """\
name: values
sources:
  users:
    http: {url: "sample://randomuser/api/?results=500&seed=values"}
    items: results
    schema: user.schema.json
    to: people
    select: SELECT login.uuid AS id, nat, name, dob.date AS born, location.postcode AS postcode%s
topics:
  people: {key: [nat, id], format: FORMAT, partitions: 3}
tables:
  app.people:
    primary_key: [nat, id]
    from: SELECT * FROM people
    expect: {not_gb: nat <> 'GB'}
    ttl: CASE WHEN nat = 'US' THEN INTERVAL 1 DAY WHEN nat = 'FR' THEN INTERVAL 0 DAYS END
"""


class Values(MillraceTest):
    def setUp(self):
        super().setUp()
        self.write("user.schema.json", json.dumps(SCHEMA))

    def pipeline(self, format_name, more=""):
        name = f"{format_name}.yaml"
        return self.write(name, FILE.replace("FORMAT", format_name).replace("%s", more))

    def rows(self, instance, name):
        return instance.rows(f"SELECT * FROM {name} ORDER BY id")

    def test_avro_makes_the_rows_that_json_makes(self):
        instances = {name: self.instance(name) for name in ("json", "avro")}
        for name, instance in instances.items():
            instance.up_once(self.pipeline(name))
            self.assert_balanced(instance.status())
        plain, avro = instances["json"], instances["avro"]
        self.assertEqual(len(self.rows(avro, "people")), 500)
        for name in ("people", "app.people"):
            self.assertEqual(self.rows(avro, name), self.rows(plain, name))
        wanted = [row for row in self.rows(plain, "people") if row["nat"] not in ("GB", "FR")]
        self.assertEqual(self.rows(avro, "app.people"), wanted)

        # The same records in the same partitions; the values are shown as JSON.
        for ours, theirs in zip(avro.records("people"), plain.records("people"), strict=True):
            self.assertEqual([r["key"] for r in ours], [r["key"] for r in theirs])
            self.assertEqual([r["value"] for r in ours], [r["value"] for r in theirs])
            for record in ours:
                value = record["value"]
                self.assertEqual(json.loads(record["key"]), [value["nat"], value["id"]])
        rules = {letter["rule"] for letter in avro.dead_letters("app.people")}
        self.assertEqual(rules, {"not_gb", "ttl"})

    def test_old_records_stay_readable_when_the_columns_change(self):
        instance = self.instance()
        instance.up_once(self.pipeline("avro"))
        before = self.rows(instance, "people")
        instance.up_once(self.pipeline("avro", ", upper(nat) AS land, 1 AS version"))
        rows = self.rows(instance, "people")
        self.assertEqual(len(rows), 1000)
        old = [row for row in rows if row["version"] is None]
        for row in old:
            self.assertIsNone(row.pop("land"))
            row.pop("version")
        self.assertEqual(old, before)
        described = instance.json("topic", "describe", "people")
        self.assertEqual((described["key"], described["format"]), (["nat", "id"], "avro"))

    def test_another_format_is_refused(self):
        instance = self.instance()
        instance.up_once(self.pipeline("avro"))
        answer = instance.run("up", self.pipeline("json"), "--once", code=1)
        self.assertIn("has values in the format avro, the pipeline file says json", answer.err)


if __name__ == "__main__":
    unittest.main()
