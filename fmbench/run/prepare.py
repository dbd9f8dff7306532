"""Everything before the first request: prompts, cells, estimate, and a run folder that load processes can start from."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmbench.config.load import LoadedConfig, config_sha256, resolved, resolved_yaml
from fmbench.config.schema import Config
from fmbench.core.estimate import USUAL_PACE, Estimate, Pace, estimate
from fmbench.core.plan import Plan, PromptFile, plan_cells
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.core.prices.price import Price
from fmbench.core.quota.tokens import Quota
from fmbench.core.records import SCHEMA_VERSION, Cell
from fmbench.prompts import payload
from fmbench.prompts.guess import guessed
from fmbench.prompts.prepare import PreparedPrompts, prepare
from fmbench.run.checks import foreign_prices, target_name
from fmbench.run.options import command_line
from fmbench.run.preflight.quotas import quotas_known
from fmbench.run.say import progress_bar
from fmbench.storage.atomic import write_text
from fmbench.storage.manifest import RUNNING, environment, versions, write_manifest
from fmbench.storage.runfolder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study that could start now."""

    loaded: LoadedConfig
    prompts: PreparedPrompts
    cells: list[Cell]
    estimate: Estimate
    book: PriceBook
    prices: dict[str, Price | None]
    """What each model's requests cost, by its name; None: not known."""
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """The account's quotas by model, as far as they were told."""

    @property
    def config(self) -> Config:
        return self.loaded.config


def prepare_study(loaded: LoadedConfig, book: PriceBook, prompts_folder: Path) -> Prepared:
    """Write the prompts to ``prompts_folder``, and plan. Raises ``UnusableInput`` for data that cannot be used."""
    config = loaded.config
    prompts_folder.mkdir(parents=True, exist_ok=True)
    with progress_bar() as progress:
        prompts = prepare(config, prompts_folder, progress)
    sizes = {
        name: [prompt.tokens for prompt in payload.load(prompts_folder / bucket.file)] for name, bucket in prompts.buckets.items()
    }
    return _planned(loaded, book, prompts, sizes)


def plan_without_data(loaded: LoadedConfig, book: PriceBook, why: str) -> Prepared:
    """The plan of a study whose data cannot be fetched for the moment: every prompt in the middle of its bucket."""
    prompts = guessed(loaded.config, why)
    sizes = {name: [round(bucket.tokens_mean)] * bucket.count for name, bucket in prompts.buckets.items()}
    return _planned(loaded, book, prompts, sizes)


def _planned(loaded: LoadedConfig, book: PriceBook, prompts: PreparedPrompts, sizes: dict[str, list[int]]) -> Prepared:
    config = loaded.config
    cells = plan_cells(config, config.dataset.name or config.dataset.source, prompts.buckets)
    prices = prices_of(config, book)
    expected = estimate(cells, config, sizes, prices.__getitem__, lambda model_id: pace_of(config, model_id))
    return Prepared(loaded=loaded, prompts=prompts, cells=cells, estimate=expected, book=book, prices=prices)


def pace_of(config: Config, model_id: str) -> Pace:
    """How fast a model is expected to answer: as the simulator's profile says, else the usual pace."""
    if config.simulator is None:
        return USUAL_PACE
    profile = config.simulator.profile_of(model_id)
    return Pace(profile.ttft_s, profile.tpot_s, profile.output_tokens)


def write_run(
    folder: RunFolder,
    prepared: Prepared,
    endpoint: Mapping[str, str | None] | None,
    calibration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write ``config.yml``, ``plan.json`` and the manifest of a run that begins; returns the manifest."""
    write_text(folder.config, resolved_yaml(prepared.config))
    write_text(folder.plan, plan_of(folder, prepared, endpoint).to_json())
    manifest = first_manifest(folder, prepared)
    if calibration is not None:
        manifest["environment"]["calibration"] = dict(calibration)
    write_manifest(folder, manifest)
    return manifest


def plan_of(folder: RunFolder, prepared: Prepared, endpoint: Mapping[str, str | None] | None) -> Plan:
    """What load processes read."""
    files = [
        PromptFile(bucket=bucket.name, file=f"prompts/{Path(bucket.file).name}", sha256=bucket.sha256, count=bucket.count)
        for bucket in prepared.prompts.buckets.values()
    ]
    prices = {name: None if price is None else price.to_dict() for name, price in prepared.prices.items()}
    at = dict(endpoint) if endpoint else None
    quotas = {name: dataclasses.asdict(quota) for name, quota in quotas_known(prepared.config, prepared.quotas).items()}
    return Plan(run_id=folder.run_id, cells=prepared.cells, prompts=files, endpoint=at, prices=prices, quotas=quotas)


def this_process() -> dict[str, Any]:
    """Who is at work on a run; in its manifest until the end."""
    return {"pid": os.getpid(), "host": socket.gethostname()}


def first_manifest(folder: RunFolder, prepared: Prepared) -> dict[str, Any]:
    """The manifest as it stands while the run goes on (docs/records.md)."""
    config, prompts, expected = prepared.config, prepared.prompts, prepared.estimate
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": folder.run_id,
        "name": config.name,
        "status": RUNNING,
        "started_at": time.time(),
        "ended_at": None,
        "seed": config.seed,
        "config_sha256": config_sha256(config),
        "region": config.region,
        "endpoint": target_name(config),
        "command": command_line(),
        "versions": versions(),
        "environment": environment(),
        "price_book": prepared.book.info(),
        "quotas": {name: dataclasses.asdict(quota) for name, quota in prepared.quotas.items()},
        "datasets": prompts.datasets,
        "buckets": {name: dataclasses.asdict(bucket) for name, bucket in prompts.buckets.items()},
        "tokenizer": prompts.tokenizer,
        "prompts": {f"prompts/{Path(bucket.file).name}": bucket.sha256 for bucket in prompts.buckets.values()},
        "estimate": estimate_row(expected),
        "warnings": [*prepared.loaded.warnings, *prompts.warnings, *foreign_prices(prepared.config, prepared.prices)],
        "config": resolved(config),
        "cells": [],
        "workers": [],
        "accounting": None,
        "process": this_process(),
    }


def estimate_row(expected: Estimate) -> dict[str, Any]:
    """What was expected, for the manifest: USD with its range; None: no price is known."""
    usd = expected.usd
    ends: dict[str, float | None] = {"usd": None, "usd_low": None, "usd_most": None}
    if usd is not None:
        ends = {"usd": usd.expected, "usd_low": usd.low, "usd_most": usd.most}
    return {name: getattr(expected, name) for name in ("requests", "input_tokens", "output_tokens", "seconds")} | ends


@contextmanager
def serving(config: Config) -> Iterator[dict[str, str | None] | None]:
    """The endpoint to call: the embedded one, started and stopped around the load; None: the one that boto3 finds."""
    if config.simulator is None:
        yield None
        return
    from fmbench.simulator import start

    with start(config.simulator) as server:
        yield {"url": server.url, "ca_bundle": server.ca_bundle}
