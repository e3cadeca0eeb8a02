"""Whatever amount is asked for is asked for in the same way."""

from __future__ import annotations

import json

from api.app import create_app
from api.bodies import MAX_MINOR
from api.settings import Settings


def test_amounts_that_are_sent_have_the_same_bound() -> None:
    document = create_app(Settings(_env_file=None, master_key="x")).openapi()
    schemas = document["components"]["schemas"]
    wanted = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for item in document["paths"].values()
        for operation in item.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    found: set[int] = set()
    while wanted:
        schema = schemas[wanted.pop().rpartition("/")[2]]
        inner = json.dumps(schema).split('"$ref": "')[1:]
        wanted |= {part.partition('"')[0] for part in inner}
        if amount := schema.get("properties", {}).get("amount_minor"):
            found |= {part["maximum"] for part in amount.get("anyOf", [amount]) if len(part) > 1}
    assert found == {MAX_MINOR}
