"""Below the decision table: the intervals for the prompts that were sent and no others, where those are clearly narrower."""

from __future__ import annotations

from fmbench.core.estimands import clearly_narrower
from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.quality import QUALITY
from fmbench.report.blocks import Text, text
from fmbench.report.first_page.decision import deciding, shown_cell
from fmbench.report.numbers import TO, figure_value, listed, plural
from fmbench.report.study import Cell, Study


def these_prompts(study: Study) -> Text | None:
    """One paragraph, a part a model; None where prompts were asked once, or hardly differ."""
    verdict = study.verdict
    if verdict is None:
        return None
    shown = [(row["model"], shown_cell(study, row, verdict)) for row in verdict["models"]]
    parts = [(model, cell, _narrower(study, cell)) for model, cell in shown if cell is not None]
    said = [f"{text(study.short(model))} {listed(figures)}" for model, _, figures in parts if figures]
    if not said:
        return None
    most = max(cell["these_prompts"]["prompts"] for _, cell, figures in parts if figures)
    lead = f"**For these {plural(most, 'prompt')} alone**, and not for prompts like these, the 95 % intervals are"
    return Text(f"{lead}: {'; '.join(said)}.")


def _narrower(study: Study, cell: Cell) -> list[str]:
    """``cost $1.65–$1.66``, and so on."""
    found = (cell.get("these_prompts") or {}).get("ci95") or {}
    figures: list[Figure] = [COST, *deciding(study), QUALITY]
    return [
        f"{figure.title} {_ends(figure, found[figure.key])}"
        for figure in figures
        if figure.key in found and clearly_narrower((found[figure.key][0], found[figure.key][1]), figure.interval(cell)[1])
    ]


def _ends(figure: Figure, ends: list[float]) -> str:
    low, high = (figure_value(figure, end) for end in ends)
    return low if low == high else f"{low}{TO}{high}"
