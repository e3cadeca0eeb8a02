"""The benchmark of retrieval runs from loading to its figures, on few passages."""

from __future__ import annotations

import pytest

from api.settings import Settings
from evals.bench.retrieval import peers
from evals.bench.retrieval.measures import Effort
from evals.bench.retrieval.part import measure_retrieval
from evals.bench.turn.subject import Servers

FEW = Effort(passages=2_000, questions=4, repeats=1, peer_questions=2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the peers, where they are installed
async def test_the_part_measures_what_it_says(settings: Settings, empty_database_url: str) -> None:
    said: list[str] = []
    figures = await measure_retrieval(
        Servers(settings, empty_database_url), say=said.append, effort=FEW
    )
    by_name = {f.name: f for f in figures}
    for share in ("100.0%", "5.0%", "0.5%"):
        assert by_name[f"filter {share}: recall@10"].value == pytest.approx(1.0)
    assert all(f.value > 0 for f in figures)
    for peer in (peers.BM25, peers.VECTORS):
        assert peers.is_installed(peer) == any(f.peer == peer for f in figures)
        assert peers.is_installed(peer) or any(peer in line for line in said)
