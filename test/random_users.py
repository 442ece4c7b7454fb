"""Five recorded pages of the Random User API, and what the pipeline of examples/users makes of
them, computed here from the JSON alone."""

import functools
import gzip
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "data" / "randomuser"
PAGES = 5
USERS_OF_PAGE = 1_000

# The columns of the table that this pipeline's users know, in their order.
COLUMNS = [
    "id", "first_name", "last_name", "gender", "address", "post_code", "email", "username", "dob",
    "registered_date", "phone", "picture",
]  # fmt: skip


@functools.cache
def page_bytes(page):
    return gzip.decompress((FOLDER / f"page-{page}.json.gz").read_bytes())


@functools.cache
def users(page):
    return json.loads(page_bytes(page))["results"]


def answer(query):
    """Answers like the API: page 1 unless it is told; no results after the last page."""
    page = int(query.get("page", 1))
    if page <= PAGES:
        return page_bytes(page)
    return json.dumps({"results": [], "info": {"page": page}}).encode()


def row_of(user):
    place = user["location"]
    street = f"{place['street']['number']} {place['street']['name']}"
    return {
        "id": user["login"]["uuid"],
        "first_name": user["name"]["first"],
        "last_name": user["name"]["last"],
        "gender": user["gender"],
        "address": f"{street}, {place['city']}, {place['state']}, {place['country']}",
        "post_code": str(place["postcode"]),
        "email": user["email"],
        "username": user["login"]["username"],
        "dob": user["dob"]["date"],
        "registered_date": user["registered"]["date"],
        "phone": user["phone"],
        "picture": user["picture"]["medium"],
    }
