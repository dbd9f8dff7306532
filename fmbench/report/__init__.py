"""Summaries as pictures, tables and pages. The only home of matplotlib, plotly, jinja2 and markdown-it."""

from fmbench.report.write import write_report

__all__ = ["write_report"]
