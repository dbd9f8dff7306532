"""Requests that were not answered: a row a kind, a column a model."""

from __future__ import annotations

from fmbench.report.blocks import Block, Table, Text, code, table, text
from fmbench.report.numbers import (
    count,
    share,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study


def blocks(material: Material) -> list[Block | None]:
    """Requests that were not answered: a row a kind, a column a model."""

    study = material.study
    found = _failures(study)
    if found is None:
        return [Text("Every request was answered." if len(study.requests) else "No request was sent.")]
    return [*material.pictures_of("failures"), found]


def _failures(study: Study) -> Table | None:
    """Requests that were not answered, of all phases: a row a kind, a column a model. None when there is none."""
    bad = study.requests[study.unanswered]
    if not len(bad):
        return None
    kinds, whose = study.kinds[study.unanswered], bad.words["model"]
    models = [model for model in study.models if whose.is_(model).any()]
    lines = []
    for kind, total in kinds.counts().items():
        lines.append([code(kind), *(count(int((kinds.is_(kind) & whose.is_(model)).sum())) for model in models), count(total)])
    sums = [count(int(whose.is_(model).sum())) for model in models]
    total = len(study.requests)
    lines.append(["**all**", *sums, f"**{count(len(bad))}** of {count(total)} ({share(len(bad) / total)})"])
    titles = ["Kind", *(text(study.short(model)) for model in models), "All"]
    return table(titles, lines, caption="All phases, warm-up and drain included, and attempts that were made again.")


SECTION = Section("Failures", blocks)
