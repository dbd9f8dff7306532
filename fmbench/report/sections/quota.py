"""What each cell took of its model's quota, and whether the quota or the model was the limit."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Table, Text, table, text
from fmbench.report.numbers import DASH, count, known, plain, plural, seconds, share
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.words import at_level, level_number

Use = dict[str, Any]
LIMITS = {"quota": "the quota", "near": "soon the quota", "model": "not the quota", None: DASH}


def blocks(material: Material) -> list[Block | None]:
    """Shown where a quota is known, or throttled."""
    study = material.study
    uses: list[Use] = [use for use in study.summary.get("quota") or [] if use["limit"] is not None]
    if not uses:
        return []
    return [*(Text(_said(study, use)) for use in _worst(uses)), _table(study, uses)]


def _worst(uses: list[Use]) -> list[Use]:
    """Of each model the cell that came closest to its quota."""
    order = ["model", "near", "quota"]
    best: dict[str, Use] = {}
    for use in uses:
        held = best.get(use["model"])
        if held is None or (order.index(use["limit"]), use["admitted_tpm"]) > (order.index(held["limit"]), held["admitted_tpm"]):
            best[use["model"]] = use
    return list(best.values())


def _said(study: Study, use: Use) -> str:
    name, level = text(study.short(use["model"])), at_level(use)
    throttled, taken = share(use["throttled_share"]), _taken(use)
    if use["limit"] == "quota":
        worst = max(use["throttled"], key=use["throttled"].get).removeprefix("throttled_")
        tokens, used = _tokens(use["admitted_tpm"]), _tokens(use["settled_tpm"])
        said = f"**{name}: your limit is the quota, not the model.** At {level} {throttled} of the requests were throttled, "
        said += f"most of them for {worst}; admission took {tokens} tokens a minute, the answers {used} in the end."
    elif use["limit"] == "near":
        said = f"**{name}: the quota is near.** At {level} admission took {taken}."
    else:
        said = f"{name}: your limit is not the quota: at {level} admission took {taken}."
    if use.get("held"):
        said += (
            f" {plural(use['held'], 'request')} waited {seconds(use['held_s'])} on average before going out, to stay under it."
        )
    freed = use.get("freed_share")
    if known(freed) and freed >= 0.05:
        said += f" No answer was longer than {count(use['longest_output'])} tokens: a `max_tokens` of so many, in place of "
        said += f"{count(use['max_tokens'])}, would free {share(freed)} of what admission takes."
    return said


def _taken(use: Use) -> str:
    """Which shares of the quota's tokens and requests a minute, as far as their sizes are known."""
    rpm = (use.get("quota") or {}).get("rpm")
    of = {"tokens": use["admitted_share"], "requests": use["requests_per_min"] / rpm if rpm else None}
    return " and ".join(f"{share(part)} of its {what} a minute" for what, part in of.items() if known(part))


def _table(study: Study, uses: list[Use]) -> Table:
    rows = []
    for use in uses:
        quota = use.get("quota") or {}
        name = [text(study.short(use["model"])), text(use["bucket"]), level_number(use)]
        taken = [
            _tokens(use["admitted_tpm"]),
            _tokens(use["settled_tpm"]),
            _tokens(quota.get("tpm")),
            share(use["admitted_share"]),
        ]
        asked = [_tokens(use["requests_per_min"]), _tokens(quota.get("rpm"))]
        rows.append([*name, *taken, *asked, share(use["throttled_share"]), LIMITS[use["limit"]]])
    titles = [
        "",
        "Bucket",
        study.level_heading,
        "Tokens / min at admission",
        "settled",
        "quota",
        "taken",
        "Requests / min",
        "quota",
        "Throttled",
        "Limit",
    ]
    note = (
        "At admission a request reserves its prompt and all of max_tokens; at the end its output counts by the model's burndown."
    )
    short = [use["seconds"] for use in uses if use.get("seconds", 60) < 60]
    if short:
        note += f" Windows of less than a minute (the shortest {plain(min(short), 's')}) are scaled up to one: a quota holds a"
        note += " minute's worth, so such a load throttles later than its share says."
    return table(titles, rows, left=(0, 1), caption=note)


def _tokens(value: Any) -> str:
    return count(round(value)) if known(value) else DASH


SECTION = Section("Quota", blocks)
