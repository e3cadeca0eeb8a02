"""Reads the header of a Markdown file: YAML between two fences."""

from typing import Any

import yaml

from retrieval.errors import Unreadable

_FENCE = "---"
_MAX_HEADER_CHARS = 8_192


def split_front_matter(source: str) -> tuple[dict[str, Any], str]:
    """Split a Markdown file into its header and its body; a file may have no header.

    Raises: Unreadable: the header is not a YAML mapping.
    """
    first, _, rest = source.partition("\n")
    header, closed, body = rest.partition(f"\n{_FENCE}")
    if first.strip() != _FENCE or not closed:
        return {}, source
    if len(header) > _MAX_HEADER_CHARS:
        raise Unreadable("ingest.header", "The front matter is too long.")
    try:
        fields = yaml.safe_load(header)
    except (yaml.YAMLError, RecursionError, ValueError) as broken:
        raise Unreadable("ingest.header", "The front matter is not valid YAML.") from broken
    if not isinstance(fields, dict):
        raise Unreadable("ingest.header", "The front matter is not a mapping.")
    return fields, body.partition("\n")[2]
