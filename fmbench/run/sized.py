"""The dry run's word on how many load processes a plan takes, where this machine's own measure is no answer."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.core.estimate import Estimate
from fmbench.core.sizing import size_of
from fmbench.run.options import Options


def sized(estimate: Estimate, options: Options) -> Iterator[str]:
    """A line where the largest cell takes more load processes than are asked for."""
    size = size_of(estimate.rows)
    asked = options.expect_workers if options.master else options.processes
    if size is None or asked <= 0 or size.processes <= asked:
        return
    users = f"{size.streams:,} users at once, " if size.streams else ""
    load = f"{users}about {size.tokens_per_s:,.0f} tokens and {size.requests_per_s:,.0f} requests a second,"
    cure = f"--expect-workers {size.processes}" if options.master else f"--processes {size.processes}, or workers of a --master"
    yield f"{load} take {size.processes} load processes with a core each; {asked} asked for: {cure}."
