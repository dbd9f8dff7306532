"""Summaries as pictures, tables and pages. The only home of matplotlib, plotly, jinja2 and markdown-it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmbench.report.write import write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    """What makes reports is imported when it is asked for: words and names of reports are used without."""
    if name != "write_report":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fmbench.report.write import write_report

    return write_report
