"""What answers about the catalogue and the documents are traced to."""

import hashlib
from datetime import date

from crm.courses.models import Course, Programme, Scholarship
from retrieval.models import Hit
from tools.context import Locale
from tools.outputs import SourceOut, ref_of


def course_source(course: Course, locale: Locale, *, read_on: date) -> SourceOut:
    """Return a course as it stands on the day it is read."""
    return _record("course", course.code, course.title.of(locale), read_on)


def programme_source(programme: Programme, locale: Locale, *, read_on: date) -> SourceOut:
    """Return a programme as it stands on the day it is read."""
    return _record("programme", programme.code, programme.title.of(locale), read_on)


def scholarship_source(scholarship: Scholarship, locale: Locale, *, read_on: date) -> SourceOut:
    """Return a scholarship as it stands on the day it is read."""
    return _record("scholarship", scholarship.code, scholarship.name.of(locale), read_on)


def _record(kind: str, code: str, title: str, read_on: date) -> SourceOut:
    return SourceOut(
        ref=ref_of(kind, code), title=title, url=f"/{kind}s/{code}", version=read_on.isoformat()
    )


def passage_source(hit: Hit) -> SourceOut:
    """Return a passage's document in its version, at the passage's heading."""
    # Several headings of one document may be cited: what tells them apart is the address.
    mark = hashlib.sha256(hit.url.encode()).hexdigest()[:6]
    heading = hit.heading_path[-1] if len(hit.heading_path) > 1 else ""
    return SourceOut(
        ref=f"{ref_of('kb', hit.slug[:32])}-{mark}",
        title=f"{hit.title} · {heading}" if heading and heading != hit.title else hit.title,
        url=hit.url,
        version=str(hit.version),
    )
