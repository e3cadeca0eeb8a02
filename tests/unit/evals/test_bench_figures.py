"""The benchmarks' arithmetic."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.bench.figure import Figure
from evals.bench.report import write_figures
from evals.bench.statistics import Sample, per_turn, percentile, ratio, times_of


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (20, 1), (21, 2), (50, 3), (95, 5), (100, 5)]
)
def test_percentile_is_a_value_that_occurred(percent: float, value: float) -> None:
    assert percentile([5, 3, 1, 2, 4], percent) == value


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_percentile_covers_its_share(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(v <= found for v in values) >= percent / 100 * len(values) - 1e-9


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 101), ([1.0], -1)])
def test_percentile_of_nothing_is_an_error(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_one_disturbed_repeat_does_not_move_the_times() -> None:
    calm = [Sample(float(n), n / 2) for n in range(1, 101)]
    disturbed = [Sample(s.ms * 50, s.cpu_ms * 2) for s in calm]
    assert times_of([calm, disturbed, calm]) == times_of([calm, calm, calm, calm[:0] or calm][:3])
    assert times_of([calm, disturbed, calm]).p50 == 50
    assert times_of([calm, disturbed, calm]).p95 == 95
    assert times_of([calm, disturbed, calm]).cpu == 25


def test_cost_of_a_turn_leaves_out_what_opening_costs() -> None:
    few = {"fsyncs": 7 + 10 * 2.0, "wal_bytes": 500 + 10 * 9.0, "statements": 1}
    many = {"fsyncs": 7 + 110 * 2.0, "wal_bytes": 500 + 110 * 9.0}
    assert per_turn(few, many, more_turns=100) == {"fsyncs": 2.0, "wal_bytes": 9.0}


def test_cost_of_no_further_turn_is_an_error() -> None:
    with pytest.raises(ValueError, match="more turns"):
        per_turn({}, {}, more_turns=0)


def test_ratio_to_nothing_is_none() -> None:
    assert ratio(3, 0) is None
    assert ratio(3, -0.01) is None
    assert ratio(3, 2) == 1.5


def _figure(**more: object) -> Figure:
    return Figure(part="turn", name="p50", unit="ms", value=12.0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (_figure(aim=0.6, peer="x", peer_value=20.0), True),
        (_figure(aim=0.5, peer="x", peer_value=20.0), False),
        (_figure(aim=0.6), None),
        (_figure(peer="x", peer_value=20.0), None),
        (_figure(aim=12.0, aim_on="value"), True),
        (_figure(aim=11.9, aim_on="value", peer="x", peer_value=99.0), False),
    ],
)
def test_aim_is_held_to_the_ratio_or_to_the_value(figure: Figure, holds: bool | None) -> None:
    assert figure.holds is holds


def test_figures_are_written_with_their_ratios(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "figures.json"
    write_figures(path, [_figure(peer="x", peer_value=24.0)], taken_at="2026-11-24T10:00:00+00:00")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["taken_at"] == "2026-11-24T10:00:00+00:00"
    assert written["figures"][0]["ratio"] == 0.5


@pytest.mark.parametrize(("value", "holds"), [(59.0, False), (60.0, True), (90.0, True)])
def test_a_figure_of_which_more_is_better_holds_from_its_aim_upwards(
    value: float, holds: bool
) -> None:
    figure = Figure(
        part="api", name="reads", unit="/s", value=value, aim=0.6, at_least=True, peer_value=100.0
    )
    assert figure.holds is holds
