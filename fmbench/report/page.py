"""The pages in their order: the answer, whether it can be trusted, then the evidence, the bill, and how to run it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fmbench.report import tables, words
from fmbench.report.answer import answer
from fmbench.report.blocks import Block, Code, Figure, Fold, Page, Points, Section, Text, code, table, text
from fmbench.report.definitions import DEFINITIONS
from fmbench.report.numbers import DASH, count, known, plain, plural, share, usd
from fmbench.report.picture import Picture
from fmbench.report.study import Study, bucket_key

Pictures = Mapping[str, Picture]
MOST_FINDINGS = 6
"""Findings on the first page; the gravest come first, the others open on a click."""


def page(study: Study, pictures: Pictures, missing: Mapping[str, str], config_text: str | None) -> Page:
    """The whole report. ``missing`` names charts that could not be drawn, with the reason."""
    sections = [
        _section("Every bucket", "buckets", [*_buckets(study), *_figures(pictures, "price-latency-buckets")]),
        _section("Latency against users", "users", _figures(pictures, "ttft-users", "e2e-users")),
        _section("Throughput and goodput against users", "throughput", _figures(pictures, "throughput-users", "goodput-users")),
        _section("How latencies are spread", "distributions", _figures(pictures, "distributions", "prompt-tokens", "token-gaps")),
        _section("Output lengths", "lengths", _lengths(study, pictures)),
        _section("Every cell", "cells", _cells(study)),
        _section("The run over time", "timeline", _timeline(study, pictures)),
        _section("Failures", "failures", _failures(study, pictures)),
        _section("The bill", "bill", _bill(study)),
        _section("Models", "models", [tables.models(study)]),
        _section("Prompts and tokens", "prompts", _prompts(study)),
        _section("Definitions", "definitions", [table(["Word", "Meaning"], DEFINITIONS, left=(0, 1))]),
        _section("Configuration and environment", "configuration", _configuration(study, config_text)),
        _section("Run it again", "again", _again(study)),
        _section("Not drawn", "missing", [Text(f"{code(name)}: {text(why)}") for name, why in sorted(missing.items())]),
    ]
    return Page(
        words.title(study), words.identity(study), tuple(_first(study, pictures)), tuple(part for part in sections if part.blocks)
    )


def _section(title: str, anchor: str, blocks: list[Block | None]) -> Section:
    return Section(title, anchor, tuple(block for block in blocks if block is not None))


def _first(study: Study, pictures: Pictures) -> list[Block]:
    blocks: list[Block | None] = [Text(answer(study)), *_validity(study), tables.decision(study), *words.change(study)]
    return [block for block in (*blocks, *_figures(pictures, "price-latency")) if block is not None]


def _validity(study: Study) -> list[Block]:
    notice = words.validity(study)
    shown, rest = notice.points[:MOST_FINDINGS], notice.points[MOST_FINDINGS:]
    folded = [Fold(f"{plural(len(rest), 'more finding')}", (Points(rest),))] if rest else []
    return [replace(notice, points=shown), *folded]


def _figures(pictures: Pictures, *names: str) -> list[Block | None]:
    return [Figure(name, pictures[name]) if name in pictures else None for name in names]


def _buckets(study: Study) -> list[Block | None]:
    judged = [tables.objectives(study, bucket) for bucket in study.buckets]
    pairs = zip(study.buckets, judged, strict=True)
    folds = [Fold(f"Each cell of {bucket} against each objective", (found,)) for bucket, found in pairs if found]
    return [tables.buckets(study), tables.most_users(study), *folds]


def _lengths(study: Study, pictures: Pictures) -> list[Block | None]:
    found = tables.lengths(study, study.buckets[0]) if study.buckets else None
    return [*_figures(pictures, "output-lengths"), found]


def _cells(study: Study) -> list[Block | None]:
    return [Fold(f"{bucket}: every cell", (tables.cells(study, bucket),)) for bucket in study.buckets]


def _timeline(study: Study, pictures: Pictures) -> list[Block | None]:
    said = words.steadiness(study)
    return [*_figures(pictures, "timeline"), Text(said) if said else None, tables.steadiness(study)]


def _failures(study: Study, pictures: Pictures) -> list[Block | None]:
    found = tables.failures(study)
    if found is None:
        return [Text("Every request was answered." if len(study.requests) else "No request was sent.")]
    return [*_figures(pictures, "failures-time"), found]


def _bill(study: Study) -> list[Block | None]:
    costs = tables.cell_costs(study)
    asked, spend = study.manifest.get("estimate") or {}, study.summary.get("spend") or {}
    said = [f"Expected before the run: {usd(asked['usd'])}." if known(asked.get("usd")) else ""]
    said += [f"Spent: {usd(spend.get('known_usd'))}." if known(spend.get("known_usd")) else "Spent: unknown."]
    said += [f"Budget: {usd(spend['budget_usd'])}." if known(spend.get("budget_usd")) else "No budget was set."]
    if study.config.get("simulator") is not None:
        said.append("The endpoint was the embedded simulator: nothing was charged, these are what AWS would charge.")
    return [
        Text(" ".join(part for part in (*said, _book(study)) if part)),
        tables.bill(study),
        Fold("The cost of each cell", (costs,)) if costs else None,
    ]


def _book(study: Study) -> str:
    book = study.manifest.get("price_book") or {}
    parts = [text(book[name]) for name in ("source", "version") if book.get(name)]
    dated = f", of {text(book['date'])}" if book.get("date") else ""
    return f"Prices: {' '.join(parts)}{dated}." if parts else ""


def _prompts(study: Study) -> list[Block | None]:
    found = study.manifest.get("buckets") or {}
    rows = [_bucket_row(name, found[name]) for name in sorted(found, key=bucket_key)]
    sets = [_dataset_row(row) for row in study.manifest.get("datasets") or []]
    return [
        table(["Bucket", "Prompts", "Tokens min", "mean", "max", "SHA-256 (first 16)"], rows) if rows else None,
        table(["Dataset", "Revision", "Rows", "SHA-256 (first 16)"], sets, left=(0, 1)) if sets else None,
        _tokenizer(study),
    ]


def _bucket_row(name: str, info: dict[str, Any]) -> list[str]:
    sizes = [_count_or_dash(info.get(key)) for key in ("count", "tokens_min", "tokens_mean", "tokens_max")]
    return [text(name), *sizes, code(str(info.get("sha256") or "")[:16])]


def _dataset_row(row: dict[str, Any]) -> list[str]:
    digest = code(str(row.get("sha256") or "")[:16])
    return [text(row.get("name") or DASH), code(row.get("revision") or ""), _count_or_dash(row.get("rows")), digest]


def _count_or_dash(value: Any) -> str:
    return count(round(value)) if known(value) else DASH


def _tokenizer(study: Study) -> Block | None:
    kept = study.manifest.get("tokenizer") or {}
    name = " ".join(str(kept[key]) for key in ("name", "version") if kept.get(key))
    ratios = study.summary.get("token_ratios") or {}
    if not name and not ratios:
        return None
    far = [f"{text(study.short(model))} {_off(ratio)}" for model, ratio in ratios.items()]
    own = f"The service's own count against it: {', '.join(far)}." if far else ""
    return Text(f"Buckets were made with the local tokenizer {code(name or 'unknown')}. {own}")


def _off(ratio: float) -> str:
    sign = "+" if ratio >= 1 else "\u2212"
    return f"{sign}{share(abs(ratio - 1))}"


def _configuration(study: Study, config_text: str | None) -> list[Block | None]:
    manifest = study.manifest
    kept = config_text or json.dumps(study.config, indent=2, sort_keys=True, ensure_ascii=False)
    kept_of = sorted((manifest.get("environment") or {}).items())
    environment = [(text(name), code(value)) for name, value in kept_of if value is not None and name != "calibration"]
    versions = [(text(name), code(value)) for name, value in sorted((manifest.get("versions") or {}).items())]
    found = [
        ("Endpoint", code(manifest.get("endpoint") or "")),
        ("Region", code(manifest.get("region") or "")),
        ("Seed", code(manifest.get("seed"))),
        ("Configuration SHA-256", code(manifest.get("config_sha256") or "")),
        *environment,
        *versions,
        ("Round trip to the endpoint", _round_trips(study)),
        ("Instrument error", _instrument(study)),
        ("Calibration", words.calibration(study)),
    ]
    whole = Fold("The configuration, as resolved", (Code(kept, "yaml" if config_text else "json"),))
    return [whole, tables.facts(found), tables.instrument(study)]


def _round_trips(study: Study) -> str:
    """Of each load process that measured it, and the region that its machine is in."""
    found = []
    for worker in study.manifest.get("workers") or []:
        trip, region = worker.get("endpoint_round_trip_s"), worker.get("region")
        if known(trip):
            place = f"{text(worker['id'])} in {text(region)}" if region else text(worker["id"])
            found.append(f"{plain(1000 * trip, 'ms')} ({place})")
    return ", ".join(found)


def _instrument(study: Study) -> str:
    lag, late = study.summary.get("instrument_error_s"), study.summary.get("lateness_s")
    if late:
        figures = ", ".join(f"{name} {plain(1000 * late[name], 'ms')}" for name in ("p50", "p95", "p99", "max"))
        return f"{figures} from arrival to reading, measured on {late['requests']:,} requests; in no TTFT"
    return f"{plain(1000 * lag, 'ms')} (p95 over seconds of the load processes' p99 lag)" if known(lag) else ""


def _again(study: Study) -> list[Block | None]:
    manifest = study.manifest
    command = str(manifest.get("command") or "fmbench-load --config config.yml")
    version = (manifest.get("versions") or {}).get("fmbench-load")
    seed = text(manifest.get("seed", DASH))
    with_version = f" with fmbench-load {text(version)}" if version else ""
    return [
        Text(f"The same study{with_version}: the same prompts in the same order to each user (seed {seed})."),
        Code(command, "sh"),
        Text(f"{code('config.yml')} in this run's folder is the configuration as resolved. It gives the same study anywhere:"),
        Code("fmbench-load --config config.yml", "sh"),
        Text("This report again from the stored records, byte for byte:"),
        Code(f"fmbench-load report {study.config.get('output') or 'results'}/{manifest.get('run_id')}", "sh"),
    ]
