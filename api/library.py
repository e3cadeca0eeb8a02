"""Wires what brings documents: ingests in the background, their sources, the desk over them."""

from dataclasses import dataclass

from api.knowledge import KnowledgeDesk
from api.settings import Settings
from crm.db import Database
from retrieval.ingest.jobs.runner import IngestRunner
from retrieval.ingest.jobs.sources import FolderSource, UploadSource
from retrieval.ingest.service import IngestService
from retrieval.ingest.web.addresses import WebPolicy
from retrieval.ingest.web.fetcher import Fetcher
from retrieval.ingest.web.source import SitemapSource
from retrieval.stores.pg_jobs import PgJobs


@dataclass(frozen=True, slots=True)
class Library:
    """The parts that bring documents."""

    jobs: PgJobs
    runner: IngestRunner
    desk: KnowledgeDesk


def wire_library(settings: Settings, database: Database, ingest: IngestService) -> Library:
    """Return the parts over a database and an index."""
    jobs, policy = PgJobs(database.pool), WebPolicy(settings.ingest_hosts)
    pages = SitemapSource(jobs, lambda: Fetcher(policy), pause_s=settings.ingest_pause_s)
    return Library(
        jobs,
        IngestRunner(
            jobs,
            ingest,
            {"folder": FolderSource(), "upload": UploadSource(jobs), "sitemap": pages},
        ),
        KnowledgeDesk(
            database,
            ingest,
            max_bytes=settings.ingest_max_bytes,
            policy=policy,
            language=settings.default_locale,
        ),
    )
