#!/usr/bin/env python3
"""The examples beside the one of the users, on recorded responses: every field of every row.

The rows that have to be there are computed here from the responses, by other means.
"""

import csv
import datetime
import json
import unittest
from decimal import Decimal

import list_api
from list_api import Response
from millrace import SOURCE, MillraceTest, by_name

EXAMPLES = SOURCE / "examples"


def recorded(example, name):
    return (EXAMPLES / example / "responses" / name).read_bytes()


def timestamp(micros):
    """As millrace writes it."""
    time = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    text = time.isoformat(timespec="milliseconds" if micros % 1_000_000 else "seconds")
    return text + "Z"


class ExampleTest(MillraceTest):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(list_api.serve(None))
        self.millrace = self.instance()

    def up(self, example, variable, answer):
        """One run of the example; the queries of its requests."""
        self.server.answer = answer
        self.server.requests.clear()
        file = EXAMPLES / example / f"{example}.yaml"
        self.millrace.run("up", file, "--once", **{variable: self.server.url + "/api?x=1"})
        queries = [request.query for request in self.server.requests]
        for query in queries:
            self.assertEqual(query.pop("x"), "1")
        return queries

    def rows(self, table, order):
        return self.millrace.rows(f"SELECT * FROM {table} ORDER BY {order}")

    def counts(self, source):
        status = self.assert_balanced(self.millrace.status())
        node = by_name(status["sources"], source)
        return [node[name] for name in ("items", "records", "filtered", "dead_letters")]

    def rules(self, node):
        return sorted(letter["rule"] for letter in self.millrace.dead_letters(node))


class AllOfThem(ExampleTest):
    def test_every_file_is_right(self):
        files = sorted(EXAMPLES.glob("*/*.yaml"))
        self.assertGreaterEqual(len(files), 4)
        for file in files:
            answer = self.millrace.run("lint", file)
            self.assertNotIn("warning", answer.out + answer.err, file)


class Earthquakes(ExampleTest):
    def features(self, page):
        return json.loads(recorded("earthquakes", f"{page}.json"))["features"]

    def row(self, feature):
        properties, place = feature["properties"], feature["geometry"]["coordinates"]
        return {
            "id": feature["id"],
            "magnitude": properties["mag"],
            "place": properties["place"],
            "happened_at": timestamp(properties["time"] * 1_000),
            "updated_at": timestamp(properties["updated"] * 1_000),
            "longitude": place[0],
            "latitude": place[1],
            "depth_km": place[2],
            "tsunami": properties["tsunami"] == 1,
        }

    def answer(self, request):
        asked = request.query["updatedafter"]
        if asked == "2026-11-01":
            return Response(recorded("earthquakes", "1.json"), "application/json;charset=utf-8")
        found = [
            feature
            for feature in self.features(2)
            if timestamp(feature["properties"]["updated"] * 1_000) > asked
        ]
        body = {"type": "FeatureCollection", "features": found}
        return Response(json.dumps(body, ensure_ascii=False).encode())

    def wanted(self, *features):
        """By the last that is known of each."""
        rows = {}
        for feature in features:
            good = feature["properties"]["mag"] is not None
            good &= abs(feature["geometry"]["coordinates"][1]) <= 90
            if feature["properties"]["type"] == "earthquake" and good:
                rows[feature["id"]] = self.row(feature)
        return [rows[key] for key in sorted(rows)]

    def test_new_and_revised_ones(self):
        first, second = self.features(1), self.features(2)
        self.assertEqual(self.up("earthquakes", "QUAKES_URL", self.answer),
                         [{"updatedafter": "2026-11-01"}])  # fmt: skip
        self.assertEqual(self.rows("earth.quakes", "id"), self.wanted(*first))
        self.assertEqual(self.counts("quakes"), [12, 11, 1, 0])

        largest = max(feature["properties"]["updated"] for feature in first)
        asked = timestamp(largest * 1_000 - 1_000_000)
        for _ in range(2):
            (query,) = self.up("earthquakes", "QUAKES_URL", self.answer)
            self.assertEqual(query, {"updatedafter": asked})
            asked = timestamp(max(f["properties"]["updated"] for f in second) * 1_000 - 1_000_000)
        self.assertEqual(self.rows("earth.quakes", "id"), self.wanted(*first, *second))
        # Two of the seven in the second run were known, and the one in the third.
        self.assertEqual(self.counts("quakes"), [12 + 5, 11 + 5, 1, 0])
        self.assertEqual(self.rules("earth.quakes"), ["has_magnitude", "on_earth"])


class Orders(ExampleTest):
    def answer(self, request):
        names = {None: "1.json", "b2s0": "2.json", "b2s4": "3.json"}
        return Response(recorded("orders", names[request.query.get("after")]))

    def test_lines_of_all_pages(self):
        self.assertEqual(self.up("orders", "SHOP_URL", self.answer),
                         [{}, {"after": "b2s0"}, {"after": "b2s4"}])  # fmt: skip
        pages = [json.loads(recorded("orders", f"{page}.json"))["data"] for page in (1, 2, 3)]
        orders = [order for page in pages for order in page]
        lines, customers = [], {}
        for order in orders:
            if order["status"] == "cancelled" or "email" not in order["customer"]:
                continue
            at = datetime.datetime.fromisoformat(order["ordered_at"])
            at = at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            for line in order["lines"]:
                price = Decimal(str(line["price"]))
                row = {
                    "order_id": order["id"],
                    "sku": line["sku"],
                    "ordered_at": at,
                    "email": order["customer"]["email"],
                    "country": order["customer"]["country"],
                    "title": line["title"],
                    "quantity": line["quantity"],
                    "price": line["price"],
                    "currency": order["currency"],
                    "total": float(line["quantity"] * price),
                }
                if line["quantity"] > 0:
                    lines.append(row)
                customers[row["email"]] = row["country"]
        lines.sort(key=lambda row: (row["order_id"], row["sku"]))
        self.assertEqual(self.rows("shop.order_lines", "order_id, sku"), lines)
        found = self.millrace.rows("SELECT email, country FROM shop.customers")
        self.assertEqual({row["email"]: row["country"] for row in found}, customers)
        self.assertEqual(self.rules("shop.order_lines"), ["sold_something"])
        (letter,) = self.millrace.dead_letters("shop")
        self.assertIn("customer.email: required, but missing", letter["error"])
        # One is cancelled, one has no lines.
        self.assertEqual(self.counts("shop"), [11, 8, 2, 1])

        # The last page again, for what is new on it.
        self.assertEqual(self.up("orders", "SHOP_URL", self.answer), [{"after": "b2s4"}])
        self.assertEqual(self.counts("shop"), [11, 8, 2, 1])


class ExchangeRates(ExampleTest):
    def answer(self, request):
        name = "1.csv" if request.query["startPeriod"] == "2026-11-01" else "2.csv"
        content_type = "application/vnd.sdmx.data+csv;version=1.0.0"
        return Response(recorded("exchange_rates", name), content_type)

    def test_rates_by_day(self):
        self.assertEqual(self.up("exchange_rates", "RATES_URL", self.answer),
                         [{"startPeriod": "2026-11-01"}])  # fmt: skip
        self.assertEqual(self.counts("rates"), [15, 14, 1, 0])
        self.assertEqual(self.up("exchange_rates", "RATES_URL", self.answer),
                         [{"startPeriod": "2026-11-06"}])  # fmt: skip
        rates = {}
        for name in ("1.csv", "2.csv"):
            text = recorded("exchange_rates", name).decode()
            for row in csv.DictReader(text.splitlines()):
                if row["OBS_VALUE"] and None not in row and float(row["OBS_VALUE"]) > 0:
                    rates[row["CURRENCY"], row["TIME_PERIOD"]] = float(row["OBS_VALUE"])
        wanted = [{"day": day, "currency": currency, "rate": rate}
                  for (currency, day), rate in sorted(rates.items())]  # fmt: skip
        self.assertEqual(self.rows("money.rates", "currency, day"), wanted)
        # Three of the second response were known, and one row has too many fields.
        self.assertEqual(self.counts("rates"), [15 + 8, 14 + 7, 1, 1])
        (letter,) = self.millrace.dead_letters("rates")
        self.assertIn("the row has 11 fields instead of 10", letter["error"])
        self.assertTrue(letter["raw"].endswith("Polish zloty, without quotes"))
        self.assertEqual(self.rules("money.rates"), ["is_positive"])


if __name__ == "__main__":
    unittest.main()
