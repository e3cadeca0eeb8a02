"""Says in Elasticsearch's words what a reader may see."""

from typing import Any

from retrieval.stores.protocol import Scope

Query = dict[str, Any]


def in_scope(scope: Scope) -> list[Query]:
    """Return the filters of a scope; kind and language are those of the index."""
    on = scope.on.isoformat()
    not_in_force = [
        {"range": {"valid_from": {"gt": on}}},
        {"range": {"valid_to": {"lte": on}}},
    ]
    filters: list[Query] = [
        {"terms": {"audience": sorted(scope.audiences)}},
        {"bool": {"must_not": not_in_force}},
    ]
    for field, values in (("topic", scope.topics), ("slug", scope.slugs)):
        if values is not None:
            filters.append({"terms": {field: sorted(values)}})
    return filters
