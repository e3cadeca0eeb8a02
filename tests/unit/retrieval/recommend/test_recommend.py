import numpy as np
import pytest

from retrieval.recommend.artefact import pack, unpack
from retrieval.recommend.associations import fit_associations, fit_ease
from retrieval.recommend.blend import Dials, fit_blend, standardise
from retrieval.recommend.histories import Histories, number_items
from retrieval.recommend.measures import judge, paired_interval
from retrieval.recommend.recommender import Profile, Recommender, diversify
from retrieval.recommend.splits import split_histories, truncate
from retrieval.recommend.texts import project, weigh_texts
from retrieval.recommend.training import CourseText, train, untrained

CODES = tuple(f"C-{i}" for i in range(16))
WORDS = ("python data pandas", "wine tasting grapes", "law court contract", "music choir song")
COURSES = [CourseText(code, f"{WORDS[i // 4]} level {i % 4}") for i, code in enumerate(CODES)]


def people(count: int = 300, *, seed: int = 1) -> list[list[str]]:
    """Four crowds, each within its own four courses, with some noise."""
    rng = np.random.default_rng(seed)
    found = []
    for person in range(count):
        crowd = list(range(4 * (person % 4), 4 * (person % 4) + 4))
        taken = set(rng.choice(crowd, 3, replace=False).tolist())
        taken |= set(rng.choice(16, 1).tolist()) if person % 5 == 0 else set()
        found.append([CODES[i] for i in sorted(taken)])
    return found


def test_ease_equals_the_regression_without_the_item_itself():
    histories = number_items(people(), CODES)
    rows = histories.dense().astype(np.float64)
    weights = fit_ease(histories, ridge=7.0)
    others = [i for i in range(16) if i != 4]
    gram = rows[:, others].T @ rows[:, others] + 7.0 * np.eye(15)
    expected = np.linalg.solve(gram, rows[:, others].T @ rows[:, 4])
    assert np.allclose(weights[others, 4], expected, atol=1e-5)
    assert weights[4, 4] == 0


def test_text_that_is_shared_draws_courses_together():
    histories = number_items([["a", "c"], ["b", "c"]] * 20, ("a", "b", "c"))
    side = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    without = fit_associations(histories, side, ridge=20, side_weight=0)
    with_text = fit_associations(histories, side, ridge=20, side_weight=20)
    assert with_text[0, 1] > 0 > without[0, 1]


def test_blend_finds_what_was_hidden_far_oftener_than_popularity():
    trained = train(people(), COURSES)
    assert trained.kind == "blend"
    assert trained.measures["ndcg"] > trained.measures["popularity_ndcg"]


def test_random_enrolments_leave_the_prior_in_charge():
    rng = np.random.default_rng(3)
    noise = [[CODES[i] for i in rng.choice(16, 4, replace=False)] for _ in range(400)]
    trained = train(noise, COURSES)
    assert trained.kind == "prior"
    assert trained.recommender.blend is None


def test_few_histories_leave_the_prior_in_charge():
    trained = train(people(20), COURSES)
    assert trained.kind == "prior"
    assert trained.measures["reason"] == "too few histories"


def test_courses_of_a_handful_of_people_are_not_learnt():
    secret = [*COURSES, CourseText("X-1", "python data rare thing")]
    taken = [*people(), *[["X-1", "C-9"]] * 4]
    trained = train(taken, secret)
    assert trained.kind == "blend"
    assert trained.recommender.codes.index("X-1") not in trained.recommender.learnt


def test_recommends_within_the_crowd_and_says_which_course_led_there():
    found = train(people(), COURSES).recommender.rank(Profile(taken=["C-4", "C-5"]), limit=2)
    assert {s.code for s in found} == {"C-6", "C-7"}
    assert found[0].reasons[0].kind == "taken"
    assert found[0].reasons[0].code in {"C-4", "C-5"}


def test_neither_taken_nor_refused_courses_come_back():
    profile = Profile(taken=["C-4", "C-5"], refused={"C-6"})
    found = train(people(), COURSES).recommender.rank(profile, limit=16)
    assert not {s.code for s in found} & {"C-4", "C-5", "C-6"}
    assert len(found) == 13


def test_goals_lead_away_from_the_history():
    profile = Profile(taken=["C-4", "C-5"], goals={"C-9": 0.9})
    found = train(people(), COURSES).recommender.rank(profile, limit=3)
    assert found[0].code == "C-9"
    assert found[0].reasons[0].kind == "goals"


def test_an_unlearnt_course_stands_with_those_it_resembles():
    courses = [*COURSES, CourseText("NEW", "wine tasting grapes level 9")]
    ranked = train(people(), courses).recommender.rank(Profile(taken=["C-4", "C-5"]), limit=17)
    order = [s.code for s in ranked]
    assert order.index("NEW") < order.index("C-0")
    reasons = next(s for s in ranked if s.code == "NEW").reasons
    assert reasons[0].kind == "resembles"


def test_without_enrolments_texts_serve():
    recommender = train([], COURSES).recommender
    found = recommender.rank(Profile(taken=["C-0"]), limit=3)
    assert {s.code for s in found} <= {"C-1", "C-2", "C-3"}


def test_survives_packing():
    trained = train(people(), COURSES).recommender
    again = unpack(pack(trained), version=4)
    profile = Profile(taken=["C-0"], goals={"C-5": 0.4})
    assert again.version == 4
    assert again.rank(profile, limit=5) == trained.rank(profile, limit=5)


def test_training_twice_gives_the_same():
    assert pack(train(people(), COURSES).recommender) == pack(train(people(), COURSES).recommender)


def test_an_empty_institution_recommends_nothing():
    assert train([], []).recommender.rank(Profile(), limit=3) == []
    assert Recommender(0, (), np.zeros(0), np.zeros((0, 0))).rank(Profile(), limit=3) == []


def test_of_twins_only_one_comes_early():
    texts = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = np.array([1.0, 0.95, 0.9], np.float32)
    assert diversify(scores, texts, [0, 1, 2], limit=2, share=0.5) == [0, 2]


def test_hides_a_fifth_and_at_least_one():
    histories = Histories(tuple(np.arange(n) for n in (1, 2, 10)), 10)
    split = split_histories(histories, seed=1)
    assert [len(h) for h in split.hidden.taken] == [0, 1, 2]
    for whole, seen, hidden in zip(
        histories.taken, split.seen.taken, split.hidden.taken, strict=True
    ):
        assert sorted([*seen, *hidden]) == list(whole)


def test_truncated_people_keep_what_they_took():
    histories = number_items(people(9), CODES)
    kept = truncate(histories, 2, seed=1)
    assert [len(t) for t in kept.taken] == [2] * 9
    assert all(set(k) <= set(t) for k, t in zip(kept.taken, histories.taken, strict=True))


def test_judges_by_place():
    taken = Histories((np.array([0]),), 4)
    hidden = Histories((np.array([2]),), 4)
    judged = judge(np.array([[9, 3, 2, 1]], np.float32), taken, hidden, top=2)
    assert judged.recall.tolist() == [1.0]
    assert judged.ndcg.tolist() == [pytest.approx(1 / np.log2(3))]
    assert judged.coverage == 0.5


def test_an_interval_of_equal_models_holds_zero():
    values = np.random.default_rng(1).random(200)
    same = paired_interval(values, values, seed=1, draws=50)
    better = paired_interval(values + 0.1, values, seed=1, draws=50)
    assert (same.low, same.high) == (0, 0)
    assert better.low > 0.09


def test_scores_are_standardised_among_what_is_free():
    rows = np.array([[1, 0, 0]], np.float32)
    scaled = standardise(np.array([[99, 1, 3]], np.float32), rows)
    assert scaled[0].tolist() == pytest.approx([0, -1, 1])


def test_a_history_of_nothing_scores_by_the_paths():
    histories = number_items(people(), CODES)
    side = weigh_texts([course.text for course in COURSES])
    scores = fit_blend(histories, side, Dials()).score(np.zeros((1, 16), np.float32))
    assert np.isfinite(scores).all()
    assert np.corrcoef(scores[0], histories.counts())[0, 1] > 0.9


def test_projection_keeps_what_is_alike():
    rng = np.random.default_rng(2)
    texts = [" ".join(rng.choice([f"w{i}" for i in range(400)], 30)) for _ in range(50)]
    weighed = weigh_texts([*texts, texts[0]])
    small = project(weighed, 64, seed=1)
    assert small.shape == (51, 64)
    assert float(small[0] @ small[50]) == pytest.approx(1, abs=1e-4)


def test_only_courses_with_a_cost_are_ranked_and_a_cost_puts_back():
    recommender = train(people(), COURSES).recommender
    profile = Profile(taken=["C-4", "C-5"])
    best, second = recommender.rank(profile, limit=2)
    again = recommender.rank(profile, limit=9, costs={best.code: 9.0, second.code: 0.0, "C-4": 0.0})
    assert [s.code for s in again] == [second.code, best.code]


def test_shortlist_is_by_score_alone():
    recommender = train(people(), COURSES).recommender
    profile = Profile(taken=["C-4"], goals={"C-9": 1.0}, refused={"C-5"})
    found = recommender.shortlist(profile, limit=4)
    assert found[0] == "C-9"
    assert not {"C-4", "C-5"} & set(found)
    assert set(found[1:3]) == {"C-6", "C-7"}


def test_says_what_a_ranking_rests_on():
    trained = train(people(), COURSES).recommender
    before = untrained(COURSES, [1] * len(COURSES))
    assert trained.basis_of(Profile(taken=["C-4"])) == "trained"
    assert trained.basis_of(Profile()) == "popularity"
    assert before.basis_of(Profile(taken=["C-4"])) == "content"
    assert before.basis_of(Profile(goals={"C-4": 1.0})) == "popularity"


def test_before_training_the_fullest_courses_and_like_texts_come_first():
    before = untrained(COURSES, [i % 5 for i in range(len(COURSES))])
    assert before.version == 0
    assert before.shortlist(Profile(), limit=1) == ["C-4"]
    assert set(before.shortlist(Profile(taken=["C-8"]), limit=2)) & {"C-9", "C-10", "C-11"}
