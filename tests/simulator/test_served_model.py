"""A served model keeps to its profile: pace, batch, slots, lengths, seeds, quota. Expected values are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fmbench.core.quality import score
from fmbench.simulator.asks import Ask
from fmbench.simulator.behaviour import Profile, Quota, Simulator
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.quota import Admission
from fmbench.simulator.served import ServedModel


def model_of(seed: int = 0, **profile: object) -> ServedModel:
    return ServedModel("m", Profile.model_validate(profile), seed)


def ask_of(text: str = "x" * 4000, **more: object) -> Ask:
    return Ask(texts=[text], **more)  # type: ignore[arg-type]


def test_the_first_token_takes_longer_with_the_prompt():
    model = model_of(ttft_s=0.2, prefill_tokens_per_s=5000.0, tpot_s=0.02)
    pace = model.pace(model.generate(ask_of(max_tokens=10), "id"))
    assert pace.first_ns == 400_000_000  # 0.2 s + 1000 tokens / 5000 a second
    assert pace.event_ns == 20_000_000


def test_the_prompt_costs_nothing_by_default():
    model = model_of(ttft_s=0.2)
    assert model.pace(model.generate(ask_of(), "id")).first_ns == 200_000_000


def test_the_batch_slows_each_stream_down():
    model, begun = model_of(batch=4.0), []
    assert model.slowdown == 1.0
    for _ in range(6):
        model.enter(lambda: begun.append(model.slowdown))
    model.leave()
    assert begun == [1.25, 1.5, 1.75, 2.0, 2.25, 2.5]
    assert model.slowdown == 2.25


def test_more_streams_than_slots_queue_in_order():
    model, begun = model_of(slots=2), []
    for number in range(5):
        model.enter(lambda number=number: begun.append(number))  # type: ignore[misc]
    assert begun == [0, 1]
    model.leave()
    model.leave()
    assert begun == [0, 1, 2, 3]


def test_jitter_is_log_normal_around_the_profile():
    model = model_of(ttft_s=0.2, tpot_s=0.02, jitter=0.3)
    paces = [model.pace(model.generate(ask_of("x", max_tokens=2), "id")) for _ in range(4000)]
    for drawn, median in (([pace.first_ns for pace in paces], 2e8), ([pace.event_ns for pace in paces], 2e7)):
        logs = np.log(np.array(drawn) / median)
        assert abs(logs.mean()) < 4 * 0.3 / np.sqrt(4000)
        assert logs.std() == pytest.approx(0.3, rel=0.05)


def test_answers_are_as_long_as_their_profile_says_on_average():
    model = model_of(output_tokens=40)
    lengths = [model.generate(ask_of(max_tokens=1000), "id").output_tokens for _ in range(4000)]
    assert (min(lengths), max(lengths)) == (20, 60)
    assert np.mean(lengths) == pytest.approx(40, abs=4 * np.std(lengths) / np.sqrt(4000))


def test_the_same_seed_gives_the_same_answers():
    def answers(seed: int) -> list[tuple[str, int]]:
        model = model_of(seed, output_tokens=40, jitter=0.5)
        generations = [model.generate(ask_of(max_tokens=50), "id") for _ in range(20)]
        return [(generation.text, model.pace(generation).first_ns) for generation in generations]

    assert answers(1) == answers(1) != answers(2)


def test_usage_counts_what_is_in_the_answer():
    generation = model_of(output_tokens=30, reasoning_tokens=7).generate(ask_of(max_tokens=500), "id")
    whole = generation.reasoning + generation.text
    assert generation.output_tokens == -(-len(whole) // 4)
    assert len(generation.reasoning) == 28


QUESTION = (
    "Paragraph 1: The Halden Viaduct was designed by Anna Moreau.\n"
    "Paragraph 2: Anna Moreau was born in Skagen.\n"
    "Paragraph 3: It rained.\n\n"
)
TASKS = {
    "retrieval": ('Which paragraph is about It rained? Answer in the form "Paragraph 1".', "synthetic_retrieval", "Paragraph 3"),
    "hop": ("In which town was the person who designed the Halden Viaduct born?", "synthetic_multi_hop", "Skagen"),
}


@pytest.mark.parametrize("task", TASKS)
def test_synthetic_tasks_are_answered_right_as_often_as_the_profile_says(task):
    question, name, answer = TASKS[task]
    model = model_of(output_tokens=20, accuracy=0.7)
    said = [model.generate(ask_of(f"salt {QUESTION}{question}", max_tokens=100), "id").text.split("\n")[0] for _ in range(1000)]
    right = sum(score(name, "en", line, [answer]) == 1.0 for line in said)
    wrong = sum(score(name, "en", line, [answer]) == 0.0 for line in said)
    assert right + wrong == 1000
    assert 0.7 - 4 * 0.0145 < right / 1000 < 0.7 + 4 * 0.0145  # sigma of a share of 0.7 over 1,000


def test_requests_over_the_quota_are_throttled():
    admission = Admission(Quota(requests_per_minute=3))
    for _ in range(3):
        admission.admit(1_000_000, 10)
    with pytest.raises(ServiceError, match="Too many requests, please wait before trying again") as caught:
        admission.admit(1, 0)
    assert (caught.value.code, caught.value.status) == ("ThrottlingException", 429)


def test_tokens_are_reserved_and_given_back():
    admission = Admission(Quota(tokens_per_minute=1000))
    ticket = admission.admit(100, 800)
    with pytest.raises(ServiceError, match="Too many tokens, please wait before trying again"):
        admission.admit(100, 400)
    admission.settle(ticket, output_tokens=10)
    admission.admit(100, 400)


def test_an_output_token_weighs_what_the_burndown_says_and_cached_ones_are_given_back():
    admission = Admission(Quota(tokens_per_minute=1000, burndown=5, window="clock"), now=lambda: 0.0)
    admission.settle(admission.admit(300, 100), output_tokens=100, cache_read_tokens=200)  # 300 - 200 + 100 * 5 = 600
    with pytest.raises(ServiceError, match="Too many tokens"):
        admission.admit(401, 0)
    admission.admit(400, 0)


@pytest.mark.parametrize(("window", "left"), [("bucket", 200), ("rolling", 0), ("clock", 1000)])
def test_windows_differ_in_what_the_turn_of_the_minute_gives_back(window, left):
    """1,000 tokens are taken 6 s before the minute turns; 6 s behind it a bucket has a fifth, a rolling minute nothing."""
    clock = [54.0]
    admission = Admission(Quota(tokens_per_minute=1000, window=window), now=lambda: clock[0])
    admission.admit(1000, 0)
    clock[0] = 66.0
    with pytest.raises(ServiceError, match="Too many tokens"):
        admission.admit(left + 1, 0)
    if left:
        admission.admit(left, 0)


def test_without_a_reservation_only_the_prompt_is_admitted():
    admission = Admission(Quota(tokens_per_minute=1000, reserves_max_tokens=False))
    admission.admit(900, 64_000)
    with pytest.raises(ServiceError, match="Too many tokens"):
        admission.admit(900, 1)


def test_a_day_has_its_own_words():
    admission = Admission(Quota(tokens_per_day=0))
    with pytest.raises(ServiceError, match="Too many tokens per day"):
        admission.admit(1, 1)


def test_a_model_overrides_only_the_keys_that_it_sets():
    config = Simulator.model_validate(
        {"profile": {"ttft_s": 0.7, "batch": 3.0, "faults": [{"kind": "drip", "at": [1]}]}, "models": {"m": {"ttft_s": 0.1}}}
    )
    mine, other = config.profile_of("m"), config.profile_of("other")
    assert (mine.ttft_s, mine.batch, len(mine.faults)) == (0.1, 3.0, 1)
    assert other.ttft_s == 0.7


def test_the_override_survives_the_way_to_the_process():
    config = Simulator.model_validate({"profile": {"ttft_s": 0.7, "batch": 3.0}, "models": {"m": {"ttft_s": 0.1}}})
    sent = Simulator.model_validate_json(config.model_dump_json(exclude_unset=True))
    assert sent.profile_of("m").batch == 3.0


@pytest.mark.parametrize("fault", [{"kind": "drip"}, {"kind": "drip", "rate": 0.5, "at": [1]}, {"kind": "drip", "at": [0]}])
def test_a_fault_says_when_it_strikes(fault):
    with pytest.raises(ValueError, match=r"rate|at|greater"):
        Simulator.model_validate({"profile": {"faults": [fault]}})
