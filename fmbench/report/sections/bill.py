"""What was expected, spent and allowed, a row a model; and what each cell cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from fmbench.core.figures.cost import COST
from fmbench.report.blocks import Block, Fold, Table, Text, table, text
from fmbench.report.numbers import (
    DASH,
    count,
    known,
    share,
    usd,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.values import shown
from fmbench.report.words import level_number


def blocks(material: Material) -> list[Block | None]:
    """What was expected, spent and allowed, a row a model; and what each cell cost."""

    study = material.study
    costs = _cell_costs(study)
    return [
        Text(_spending(study)),
        _bill(study),
        _by_kind(study),
        *material.pictures_of("bill"),
        Fold("The cost of each cell", (costs,)) if costs else None,
    ]


def _spending(study: Study) -> str:
    asked, spend = study.manifest.get("estimate") or {}, study.summary.get("spend") or {}
    said = [f"Expected before the run: {usd(asked['usd'])}." if known(asked.get("usd")) else ""]
    said += [f"Spent: {usd(spend.get('known_usd'))}." if known(spend.get("known_usd")) else "Spent: unknown."]
    said += [_against_budget(spend) if known(spend.get("budget_usd")) else "No budget was set."]
    if study.config.get("simulator") is not None:
        said.append("The endpoint was the embedded simulator: nothing was charged, these are what AWS would charge.")
    return " ".join(part for part in (*said, _book(study)) if part)


def _against_budget(spend: dict[str, Any]) -> str:
    budget, spent = spend["budget_usd"], spend.get("known_usd") or 0.0
    return f"Budget: {usd(budget)}, of which {share(spent / budget)} was spent."


def _book(study: Study) -> str:
    book = study.manifest.get("price_book") or {}
    parts = [text(book[name]) for name in ("source", "version") if book.get(name)]
    dated = f", of {text(book['date'])}" if book.get("date") else ""
    return f"Prices: {' '.join(parts)}{dated}." if parts else ""


def _bill(study: Study) -> Table | None:
    """What was spent: a row a model, measured windows apart from warm-up and drain."""
    if not len(study.requests):
        return None
    usd_of, measured = study.requests.number("usd"), study.requests.measured
    spend = study.summary.get("spend") or {}
    lines = []
    for model in study.models:
        mine = study.of_model(model)
        whole = (spend.get("by_model") or {}).get(model)
        if whole:
            lines.append([text(study.short(model)), *_bill_row(whole, usd_of[mine & measured], usd_of[mine & ~measured])])
    if spend.get("requests"):
        lines.append(["**all**", *_bill_row(spend, usd_of[measured], usd_of[~measured])])
    titles = ["", "Requests", "Input tokens", "Output tokens", "In measured windows", "Warm-up and drain", "Together"]
    return table(titles, lines, caption="Tokens as the service counted them.") if lines else None


def _bill_row(bill_of: dict[str, Any], measured: Any, rest: Any) -> list[str]:
    unpriced = bill_of.get("unpriced") or 0
    whole = usd(bill_of.get("known_usd"))
    some = f" and {count(unpriced)} answers of unknown price" if whole != DASH else " (price unknown)"
    note = some if unpriced else ""
    parts = [usd(float(np.nansum(values))) if np.isfinite(values).any() else DASH for values in (measured, rest)]
    return [count(bill_of["requests"]), count(bill_of["input_tokens"]), count(bill_of["output_tokens"]), *parts, whole + note]


KINDS = (
    ("input", "Input"),
    ("output", "Output"),
    ("cache_read", "Cache read"),
    ("cache_write", "Cache write"),
    ("cache_write_1h", "for an hour"),
)
PHASES = (("warmup", "Warm-up"), ("measure", "Measured"), ("drain", "Drain"))


def _by_kind(study: Study) -> Table | None:
    """What each model's tokens cost by kind, what each phase cost, and what broken-off requests may add."""
    rows = []
    for model, bill in ((study.summary.get("spend") or {}).get("by_model") or {}).items():
        kinds, phases, may = bill.get("usd_by_kind") or {}, bill.get("usd_by_phase") or {}, bill.get("may_be_billed") or {}
        if not bill.get("known_usd"):
            continue
        parts = [usd(kinds.get(name)) for name, _ in KINDS] + [usd(phases.get(name)) for name, _ in PHASES]
        most = may.get("usd_at_most")
        more = (
            DASH if not may.get("requests") else f"{count(may['requests'])} requests, {usd(most) if known(most) else 'unknown'}"
        )
        rows.append([text(study.short(model)), *parts, usd(bill.get("failed_usd")), more])
    titles = ["$", *(title for _, title in (*KINDS, *PHASES)), "Of it failed", "May be billed too, at most"]
    note = "A request that broke off may be billed for what was made of its answer; the service did not say how much that was."
    return table(titles, rows, caption=note) if rows else None


def _cell_costs(study: Study) -> Table | None:
    """Each cell's own cost in its measured window."""
    rows = []
    for cell in study.cells:
        name = [text(study.short(cell["model"])), text(cell["bucket"]), level_number(cell)]
        rows.append([*name, usd(cell.get("usd")), shown(COST, cell), usd(cell.get("usd_per_10k_good"))])
    titles = ["", "Bucket", study.level_heading, "Measured window", "$ / 10,000 transactions", "$ / 10,000 within objectives"]
    return table(titles, rows, left=(0, 1)) if rows else None


SECTION = Section("The bill", blocks)
