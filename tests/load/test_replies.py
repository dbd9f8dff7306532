"""Replies of load processes, until the controller reads them."""

from __future__ import annotations

from fmbench.load.controller import replies
from fmbench.load.controller.replies import Replies
from fmbench.load.protocol import ClockAnswer, StepReady, Unable


def test_a_reply_is_taken_once_by_who_gave_it_and_the_order_it_answers() -> None:
    kept = Replies()
    answer = ClockAnswer(run_id="r", number=3, epoch=1.5)
    assert kept.keep("a", "clock_answer", answer)
    assert kept.have(ClockAnswer, 3, ["a"])
    assert not kept.have(ClockAnswer, 3, ["a", "b"])
    assert kept.take(ClockAnswer, 2, "a") is None
    taken = kept.take(ClockAnswer, 3, "a")
    assert taken is not None
    assert taken[0] is answer
    assert kept.take(ClockAnswer, 3, "a") is None


def test_who_is_unable_has_answered_its_order_and_nothing_else() -> None:
    kept = Replies()
    assert kept.keep("a", "unable", Unable(run_id="r", asked="step", number=4, error="no prompts"))
    assert kept.have(StepReady, 4, ["a"])
    assert not kept.keep("a", "unable", Unable(run_id="r", asked="supper", number=5, error="no"))


def test_no_more_are_kept_than_a_controller_could_have_asked_for(monkeypatch) -> None:
    monkeypatch.setattr(replies, "MOST_REPLIES", 2)
    kept = Replies()
    came = [kept.keep("a", "clock_answer", ClockAnswer(run_id="r", number=number, epoch=0.0)) for number in range(3)]
    assert came == [True, True, False]
