"""A closed loop: a user's next request begins when the one before is over, at once or after a time to think."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import repeat

from fmbench.config.rates import ThinkTime
from fmbench.core.plan import prompt_at
from fmbench.core.think_time import left_of_a_thought, think_times
from fmbench.load.worker.sending import Sender

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""After failures in a row a user pauses, twice as long each time: a service that refuses at once is not hammered."""


def send_until_closed(sender: Sender) -> None:
    """Send requests until the step is over or the budget gives no more."""
    step = sender.step
    thoughts, sent, failures_in_a_row = _thoughts(sender), 0, 0
    due_ns = step.opened_ns + round(_offset_s(sender, thoughts) * 1e9)
    while sender.wait_until(due_ns):
        exchange = sender.send(_prompt_index(sender, sent), due_ns)
        if exchange is None:
            return
        sent += 1
        failures_in_a_row = 0 if exchange.failure is None else failures_in_a_row + 1
        due_ns = time.monotonic_ns() + round(max(_pause_s(failures_in_a_row), next(thoughts)) * 1e9)


def _prompt_index(sender: Sender, k: int) -> int:
    cell = sender.step.order.cell
    seed = sender.part.prepared.config.seed
    return prompt_at(seed, cell.bucket, sender.slot, k, cell.concurrency, len(sender.requests.prompts))


def _offset_s(sender: Sender, thoughts: Iterator[float]) -> float:
    """Users start spread evenly, by their slots; those who think are in the middle of a thought."""
    load, order = sender.part.prepared.config.load, sender.step.order
    share = sender.slot / order.cell.concurrency
    if load.mean_thought_s and load.spread_s is None:
        return left_of_a_thought(thoughts, load.mean_thought_s, share)
    return order.spread_s * share


def _thoughts(sender: Sender) -> Iterator[float]:
    """How long this user thinks after each answer: the same for every model, and on any number of load processes."""
    config, cell = sender.part.prepared.config, sender.step.order.cell
    time_s = config.load.think_time_s
    if not isinstance(time_s, ThinkTime):
        return repeat(time_s or 0.0)
    dice = random.Random(f"{config.seed}/think/{cell.bucket}/{cell.concurrency}/{cell.block}/{sender.slot}")
    return think_times(dice, time_s.spread, time_s.mean, time_s.cv)


def _pause_s(failures_in_a_row: int) -> float:
    if failures_in_a_row == 0:
        return 0.0
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures_in_a_row - 1, 10))
