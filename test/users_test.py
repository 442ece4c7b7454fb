#!/usr/bin/env python3
"""The example of the users, on five recorded pages of the real API: every field of every row."""

import signal
import threading
import unicodedata
import unittest

import page_server
import random_users
from millrace import DEADLINE_S, USERS, MillraceTest, by_name

EXAMPLE = USERS / "users.yaml"
TABLE = "spark_streams.created_users"
ALL_PAGES = range(1, random_users.PAGES + 1)


def rows_of(pages):
    users = [user for page in pages for user in random_users.users(page)]
    return [random_users.row_of(user) for user in users]


class Users(MillraceTest):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(page_server.serve(random_users.answer))
        self.millrace = self.instance()

    def paged_file(self):
        """The example, but that it asks for one page after another until there are no more."""
        text = EXAMPLE.read_text()
        for old, new in (
            ("      every: ${env:EVERY:-1s}\n", "      every: 0ms\n      page: {}\n"),
            ("    for: ${env:RUN_FOR:-60s}\n", ""),
            ("schema: randomuser", f"schema: {USERS}/randomuser"),
        ):
            self.assertEqual(text.count(old), 1, f"the example has changed: no '{old}'")
            text = text.replace(old, new)
        return self.write("paged.yaml", text)

    def up_paged(self):
        return self.millrace.up_once(self.paged_file(), RANDOMUSER_URL=self.server.url)

    def up_page(self, page):
        """One run of the example as it is: one request, for this page."""
        url = f"{self.server.url}?results=1000&page={page}"
        return self.millrace.up_once(EXAMPLE, RANDOMUSER_URL=url, RUN_FOR="0s", EVERY="1ms")

    def assert_table_is(self, wanted):
        rows = self.millrace.rows(f"SELECT * FROM {TABLE}")
        self.assertEqual(list(rows[0]), random_users.COLUMNS)
        self.assertEqual(len(rows), len(wanted))
        self.assertEqual(
            sorted(rows, key=lambda row: row["id"]), sorted(wanted, key=lambda row: row["id"])
        )

    def assert_topic_is(self, wanted):
        (records,) = self.millrace.records("users_created")
        self.assertEqual([record["offset"] for record in records], list(range(len(wanted))))
        self.assertEqual([record["value"] for record in records], wanted)
        for record in records:
            self.assertEqual(list(record["value"]), random_users.COLUMNS)
            self.assertEqual(record["key"], record["value"]["id"])

    def assert_counts(self, records):
        status = self.assert_balanced(self.millrace.status())
        source = by_name(status["sources"], "random_users")
        table = by_name(status["tables"], TABLE)
        self.assertEqual((source["items"], source["records"]), (records, records))
        self.assertEqual((table["records_in"], table["written"]), (records, records))
        self.assertEqual(table["waiting"], 0)
        self.assertEqual([topic["name"] for topic in status["topics"]], ["users_created"])

    def test_the_recorded_pages_have_the_traps(self):
        users = [user for page in ALL_PAGES for user in random_users.users(page)]
        self.assertEqual(len({user["login"]["uuid"] for user in users}), 5_000)
        postcodes = [type(user["location"]["postcode"]) for user in users]
        self.assertEqual((postcodes.count(int), postcodes.count(str)), (4_286, 714))
        self.assertEqual(sum(user["id"]["value"] is None for user in users), 934)
        texts = [str([user["name"], user["location"]]) for user in users]
        letters = {letter for text in texts for letter in text if letter.isalpha()}
        scripts = {unicodedata.name(letter).split()[0] for letter in letters}
        self.assertLessEqual({"LATIN", "CYRILLIC", "ARABIC"}, scripts)
        self.assertLessEqual(set("ışğİŞ"), letters)
        # What sends `dob` through a timestamp type would not give back the API's text.
        self.assertTrue(all(user["dob"]["date"].endswith("Z") for user in users))

    def test_all_pages_in_one_run(self):
        self.up_paged()
        self.assertEqual([request["page"] for request in self.server.requests], list("123456"))
        self.assert_table_is(rows_of(ALL_PAGES))
        self.assert_topic_is(rows_of(ALL_PAGES))
        self.assert_counts(records=5_000)

    def test_the_next_run_asks_for_what_is_new(self):
        self.up_paged()
        self.server.requests.clear()
        self.up_paged()
        self.assertEqual([request["page"] for request in self.server.requests], ["6"])
        self.assert_table_is(rows_of(ALL_PAGES))
        self.assert_counts(records=5_000)

    def test_the_example_as_it_is_one_page_a_run(self):
        for page in ALL_PAGES:
            self.up_page(page)
        self.assertEqual(len(self.server.requests), 5)
        self.assert_table_is(rows_of(ALL_PAGES))
        self.assert_topic_is(rows_of(ALL_PAGES))
        self.assert_counts(records=5_000)

    def test_a_user_who_comes_again_stays_one_row(self):
        for page in (1, 2, 1):
            self.up_page(page)
        self.assert_table_is(rows_of([1, 2]))
        self.assert_topic_is(rows_of([1, 2, 1]))
        self.assert_counts(records=3_000)

    def test_a_second_pipeline_on_another_data_directory_knows_nothing_of_the_first(self):
        self.up_paged()
        first, self.millrace = self.millrace, self.instance("second")
        self.up_page(3)
        self.assert_table_is(rows_of([3]))
        self.millrace = first
        self.assert_table_is(rows_of(ALL_PAGES))

    def test_the_built_in_api_needs_no_network(self):
        self.millrace.up_once(EXAMPLE, RUN_FOR="0s")
        self.assertEqual(self.server.requests, [])
        self.assert_counts(records=100)
        (count,) = self.millrace.rows(f"SELECT count(*) AS n FROM {TABLE}")
        self.assertEqual(count, {"n": 100})

    def test_a_kill_while_a_page_is_asked_for_changes_nothing(self):
        asked, killed = threading.Event(), threading.Event()
        pages = []

        def answer(query):
            pages.append(query["page"])
            if len(pages) == 3:
                asked.set()
                killed.wait()
            return random_users.answer(query)

        self.server.answer = answer
        self.addCleanup(killed.set)
        self.millrace.start(self.paged_file(), "--once", RANDOMUSER_URL=self.server.url)
        self.assertTrue(asked.wait(DEADLINE_S), self.millrace.log_text())
        self.assertEqual(self.millrace.kill(), -signal.SIGKILL)
        killed.set()
        self.assert_balanced(self.millrace.status())
        self.up_paged()
        self.assertEqual(pages, list("1233456"))
        self.assert_table_is(rows_of(ALL_PAGES))
        self.assert_topic_is(rows_of(ALL_PAGES))
        self.assert_counts(records=5_000)


if __name__ == "__main__":
    unittest.main()
