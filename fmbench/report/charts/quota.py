"""What a run took of its quotas over time: at admission, and settled, in the minute before, against the quota."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fmbench.core.quota.usage import THROTTLES
from fmbench.core.table import Rows
from fmbench.report.charts.base import Chart
from fmbench.report.charts.timeline import Clock, windows
from fmbench.report.numbers import count, listed
from fmbench.report.picture import Axis, Dots, Line, Mark, Panel, Picture, Rule, Values
from fmbench.report.study import Study
from fmbench.report.style import LIMIT, Look

MINUTE_S = 60.0
POINTS = 360
THOUSAND = 1000.0
THROTTLED = Look(LIMIT, "X", "solid", "")


def prepare(study: Study) -> Picture | None:
    """A panel a model whose tokens a minute are known. None: there is none of them."""
    if not len(study.requests.known("sent_at")):
        return None
    uses = {use["model"]: use for use in study.summary.get("quota") or [] if (use.get("quota") or {}).get("tpm")}
    found = [use for model, use in uses.items() if study.of_model(model).any()]
    if not found:
        return None
    clock = Clock(study)
    return Picture(
        title="The quota over time",
        sentence=_sentence(study, found),
        panels=tuple(_panel(study, clock, use) for use in found),
        columns=1,
        caption="Of requests of the minute before each moment. Held: prompt and `max_tokens` until a request is over, then what "
        "it took in the end: its prompt without what the cache held, and its answer by the burndown. Shaded: measured windows.",
    )


def taken(rows: Rows, burndown: float, moments: Values) -> tuple[Values, Values]:
    """Tokens of requests sent in the minute before each moment: held (reserved, and settled once a request is over), and all
    settled."""
    failures = rows.words["failure"]
    throttled = np.logical_or.reduce([failures.is_(word) for word in THROTTLES])
    rows = rows[~throttled & np.isfinite(rows.number("sent_at"))]
    read, written = (np.nan_to_num(rows.number(name)) for name in ("cache_read_tokens", "cache_write_tokens"))
    told = rows.number("input_tokens") + read + written
    prompt = np.where(np.isnan(told), np.nan_to_num(rows.number("prompt_tokens")), told)
    reserved = prompt + np.nan_to_num(rows.number("max_tokens"))
    settled = prompt - read + burndown * np.nan_to_num(rows.number("output_tokens"))
    sent, ended = rows.number("sent_at"), np.nan_to_num(rows.number("ended_at"), nan=np.inf)
    taken_so_far = _until(sent, settled, moments) - _until(sent, settled, moments - MINUTE_S)
    under_way = _until(sent, reserved - settled, moments) - _until(ended, reserved - settled, moments)
    return taken_so_far + under_way, taken_so_far


def _until(at: Values, amounts: Values, moments: Values) -> Values:
    """The sum of the amounts up to each moment."""
    order = np.argsort(at, kind="stable")
    sums: Values = np.concatenate([[0.0], np.cumsum(amounts[order])])[np.searchsorted(at[order], moments, side="right")]
    return sums


def _panel(study: Study, clock: Clock, use: dict[str, Any]) -> Panel:
    model, quota = use["model"], use["quota"]
    mine = study.of_model(model)
    rows = study.requests[mine]
    moments = np.linspace(clock.edges[0], clock.edges[-1], POINTS)
    held, settled = taken(rows, float(quota["burndown"]), moments)
    look, x = study.look(model), clock.of(moments)
    lines: list[Mark] = [
        Line(label="held", look=replace(look, dash="solid"), x=x, y=held / THOUSAND, markers=False, steps=True, width=1.3),
        Line(label="settled", look=replace(look, dash="dot"), x=x, y=settled / THOUSAND, markers=False, steps=True, width=1.3),
        *_throttles(clock, rows, moments, held / THOUSAND),
        Rule(axis="y", value=float(quota["tpm"]) / THOUSAND, label=f"the quota, {count(round(quota['tpm']))}"),
    ]
    top = 1.15 * max(float(quota["tpm"]), float(held.max(initial=0.0))) / THOUSAND
    y = Axis(label="Thousand tokens", low=0.0, high=top)
    title = f"{study.short(model)}: an output token takes {quota['burndown']:g} of the quota"
    return Panel(title=title, x=clock.axis(), y=y, marks=(*windows(study, clock), *lines), height=2.0)


def _throttles(clock: Clock, rows: Rows, moments: Values, held: Values) -> list[Mark]:
    refused = np.logical_or.reduce([rows.words["failure"].is_(word) for word in THROTTLES])
    at = rows.number("sent_at")[refused]
    at = at[np.isfinite(at)]
    if not len(at):
        return []
    places = np.unique(np.searchsorted(moments, at).clip(max=len(moments) - 1))
    return [Dots(label="throttled", look=THROTTLED, x=clock.of(moments[places]), y=held[places], size=3.0, alpha=0.8)]


def _sentence(study: Study, uses: list[dict[str, Any]]) -> str:
    said = []
    for use in uses[:3]:
        rows = study.requests[study.of_model(use["model"])]
        sent = rows.known("sent_at")
        held, _settled = taken(rows, float(use["quota"]["burndown"]), np.unique(sent))
        of_quota = f"of a quota of {count(round(use['quota']['tpm']))}"
        most = f"{count(round(held.max(initial=0.0)))} tokens of a minute"
        said.append(f"{study.short(use['model'])} held at most {most}, {of_quota}")
    return f"{listed(said)}."


CHARTS = (Chart("quota-time", prepare, section="quota"),)
