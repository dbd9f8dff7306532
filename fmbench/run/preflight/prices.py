"""Whether it is known what a request costs."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.core.preflight import Found, Verdict
from fmbench.run.preflight.subject import Subject

NAME = "price"
_CURE = "Set pricing: in the configuration, or use --live-prices."


def look(subject: Subject) -> Iterator[Found]:
    """An unknown price is a failure where a budget in dollars needs it."""
    needed = subject.config.budget.max_usd is not None
    for model in subject.config.models:
        price = subject.prices[model.name]
        if price is None or not price.known:
            verdict = Verdict.FAILED if needed else Verdict.WARNING
            yield Found(check=NAME, about=model.name, verdict=verdict, what="its price is not known", cure=_CURE)
        elif price.taken_from is not None:
            what = f"its price is taken from {price.taken_from}"
            yield Found(check=NAME, about=model.name, verdict=Verdict.WARNING, what=what, cure=_CURE)
        else:
            yield Found(check=NAME, about=model.name, verdict=Verdict.OK, what=f"known ({price.source})")
