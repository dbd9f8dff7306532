"""What counts as dropped: what was due while a step was open, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fmbench.core.records import Cell
from fmbench.load.protocol import StepOrder
from fmbench.load.worker.arrivals import Arrivals
from fmbench.load.worker.lease import Lease
from fmbench.load.worker.sending import drop_what_was_due
from fmbench.load.worker.step import Step

CELL = Cell(0, "m", "m", "converse", "d", "en_1-500", 4, 0, 600.0)
ORDER = StepOrder(run_id="r", number=1, cell=CELL, slots=[0, 1, 2, 3], spread_s=0.0, requests=None, usd=None, counting=None)


def test_a_step_that_is_given_up_before_it_opens_has_dropped_nothing() -> None:
    """Another load process was not ready in time: the plan never began, however long this machine has been up."""
    step = Step(order=ORDER, lease=Lease(requests=None, usd=None), arrivals=Arrivals(iter([0.1, 0.2, 0.3]), [0, 1, 2, 3], 4))
    step.close()
    part: Any = SimpleNamespace(sealed=False)  # a row that is dropped would need more of it
    drop_what_was_due(part, step)
    assert step.tally.dropped == 0
