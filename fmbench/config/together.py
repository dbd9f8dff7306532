"""What a configuration's values say about each other: each may be right alone, and wrong together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from pathlib import Path as File
from typing import NamedTuple

from fmbench.config.addresses import SCHEMES, STORE_EXAMPLES
from fmbench.config.advice import advice
from fmbench.config.faults import Path, path_text
from fmbench.config.model import places_of
from fmbench.config.schema import Config, range_of
from fmbench.core.levels import levels_of
from fmbench.core.units import SECONDS

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_STORE = re.compile(rf"(?:{'|'.join(SCHEMES)})://[^/]")


class Finding(NamedTuple):
    """Something wrong between values. ``reads``: the sections that it is about, besides ``path``'s own."""

    path: Path
    what: str
    cure: str
    reads: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Checks:
    """What higher floors have to say about a configuration: faults, and what is only worth a warning."""

    findings: Callable[[Config], Iterator[Finding]]
    warnings: Callable[[Config], Iterator[str]]


NO_CHECKS = Checks(lambda config: iter(()), lambda config: iter(()))


def conflicts(config: Config) -> Iterator[Finding]:
    """Everything that makes ``config`` unusable although each value could be."""
    yield from _same_names(config)
    yield from _bucket_of_interest(config)
    yield from _templates(config)
    yield from _windows(config)
    yield from _addresses(config)
    yield from _cache(config)
    yield from _size(config)
    yield from _retries(config)
    yield from _search(config)
    for figure in config.objectives.limited:
        if figure.takes is not None and not getattr(config, figure.takes):
            path = ("objectives", str(figure.objective))
            yield Finding(path, "asks for what is not measured", f"add {figure.takes}: true", ((figure.takes,),))


def warnings(config: Config) -> Iterator[str]:
    """What is allowed and yet probably not meant."""
    yield from advice(config)
    yield from _never_missed(config)
    yield from _overlapping(config.dataset.buckets)
    known = {model.id for model in config.models}
    for model_id in sorted(config.pricing.keys() - {name for model in config.models for name in model.names}):
        if model_id not in known:
            close = difflib.get_close_matches(model_id, known, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            yield f'pricing has "{model_id}", which is none of the models: it changes nothing.{hint}'
    if config.simulator is not None:
        for model_id in config.simulator.models:
            if model_id not in known:
                yield f'simulator.models has "{model_id}", which is none of the models: it changes nothing.'


def _never_missed(config: Config) -> Iterator[str]:
    """Latency limits beyond the time after which requests are given up; with waits before a request, answers may take longer."""
    if config.load.retry is not None or config.load.rate_per_min is not None:
        return
    most, limits = config.load.timeouts.total_s, config.objectives.model_dump()
    for figure in config.objectives.limited:
        name = str(figure.objective)
        if figure.unit is SECONDS and limits[name] > most:
            yield (
                f"objectives.{name} is {limits[name]:g} seconds, and requests are given up after {most:g} "
                f"(load.timeouts.total_s): no answer can miss it. {limits[name]:g} ms are {limits[name] / 1000:g}."
            )


def _overlapping(buckets: Sequence[str]) -> Iterator[str]:
    """Buckets that share lengths: a prompt of such a length is taken for each of them, and drawn for each by itself."""
    ordered = sorted(buckets, key=range_of)
    pairs = [(one, other) for one, other in combinations(ordered, 2) if range_of(other)[0] < range_of(one)[1]]
    if pairs:
        one, other = pairs[0]
        low, high = range_of(other)[0], min(range_of(one)[1], range_of(other)[1])
        more = f" So do {len(pairs) - 1} more pairs." if len(pairs) > 2 else " So does another pair." if len(pairs) > 1 else ""
        yield (
            f"dataset.buckets: {one} and {other} overlap: a prompt of {low} to {high - 1} tokens is in both, and may be sent in "
            f"both.{more} Let each bucket end where the next one begins if a prompt is to be in one alone."
        )


def _same_names(config: Config) -> Iterator[Finding]:
    seen: dict[str, Path] = {}
    for place, model in zip(places_of(config.models), config.models, strict=True):
        if model.name in seen:
            key = "id" if model.label is None else "label"
            what = f'is the name of {path_text(seen[model.name])} too ("{model.name}")'
            yield Finding((*place, key), what, "give each a label of its own")
        seen.setdefault(model.name, place)


def _cache(config: Config) -> Iterator[Finding]:
    asked = [(config.cache_points(model), model.asked(config.inference).system) for model in config.models]
    if any(points is not None and "system" in points.points and system is None for points, system in asked):
        what = "has system, and there is no system prompt to cache"
        yield Finding(("cache", "points"), what, "add inference.system, or leave system out", (("inference",), ("models",)))


_OF_BOTO3 = ("converse-stream", "converse", "invoke-stream", "invoke")


def _retries(config: Config) -> Iterator[Finding]:
    """boto3 decides on its own operations alone."""
    retry, search = config.load.retry, config.load.search
    if retry is not None and search is not None and search.of == "quota":
        what = "stands beside a search for a quota, which asks what is throttled and not what becomes of it"
        yield Finding(("load", "retry"), what, "leave one of them out", (("load", "search"),))
    if retry is None or retry.mode == "ours":
        return
    for place, model in zip(places_of(config.models), config.models, strict=True):
        if model.api not in _OF_BOTO3:
            what = f"is {model.api}, which boto3 has no operation for: load.retry.mode {retry.mode} says nothing of it"
            yield Finding((*place, "api"), what, f"use {', '.join(_OF_BOTO3)}, or mode: ours", (("load", "retry"),))


def _search(config: Config) -> Iterator[Finding]:
    """A search for a limit goes by objectives that are known while requests are sent."""
    load = config.load
    if load.search is None:
        return
    if (load.repeats or 1) > 1:
        yield Finding(("load", "repeats"), "stands beside search, which repeats levels by itself", "leave it out")
    if load.search.of != "quota" and all(figure.takes is not None for figure in config.objectives.limited):
        what = f"looks for the most {_LEVELS[load.search.of]} that meet the objectives, and none is known during the load"
        cure = "add one, such as objectives: {ttft_p95_s: 1.5, error_rate: 0.01}"
        yield Finding(("load", "search"), what, cure, (("objectives",),))


_LEVELS = {"users": "users", "rate": "requests a minute"}


def _bucket_of_interest(config: Config) -> Iterator[Finding]:
    wanted = config.objectives.bucket
    dataset = config.dataset
    known = [f"{language}_{bucket}" for language in dataset.languages for bucket in dataset.buckets]
    if wanted is None or wanted in known:
        return
    close = difflib.get_close_matches(wanted, known, n=1)
    cure = (f'did you mean "{close[0]}"? ' if close else "") + f"the buckets are {', '.join(known)}"
    reads: tuple[Path, ...] = (("dataset", "languages"), ("dataset", "buckets"))
    yield Finding(("objectives", "bucket"), "is none of this configuration's buckets", cure, reads)


def _templates(config: Config) -> Iterator[Finding]:
    dataset = config.dataset
    reads: tuple[Path, ...] = (("dataset",),)
    if dataset.template is not None and dataset.template_file is not None:
        yield Finding(("dataset", "template_file"), "stands beside template", "keep one of the two", reads)


def missing_files(config: Config) -> Iterator[Finding]:
    """Files that ``config`` names besides its data, and that are not there."""
    path = config.dataset.template_file
    if path is not None and "://" not in path and not File(path).expanduser().is_file():
        cure = f"there is no file {File(path).expanduser().absolute()}: put it there, or give the right path"
        yield Finding(("dataset", "template_file"), "does not exist", cure, (("dataset",),))


def _addresses(config: Config) -> Iterator[Finding]:
    """A scheme that nothing is read from or written to would otherwise be the name of a folder."""
    places: dict[Path, str | None] = {("output",): config.output, ("dataset", "path"): config.dataset.path}
    for path, address in places.items():
        if address is not None and _SCHEME.match(address) and not _STORE.match(address):
            yield Finding(path, "is neither a path nor the address of a store", f"give a path, or {STORE_EXAMPLES}", (path[:1],))


MOST_CELLS = 10_000
"""At half a minute each, three and a half days."""


def _size(config: Config) -> Iterator[Finding]:
    """Each factor may be right, and the product more than anybody measures."""
    load, dataset = config.load, config.dataset
    factors = {
        "models": len(config.models),
        "languages": len(dataset.languages),
        "buckets": len(dataset.buckets),
        "levels": len(levels_of(load)),
        "repeats": config.repeats,
    }
    cells = prod(factors.values())
    if cells > MOST_CELLS:
        counted = " × ".join(f"{count:,} {name}" for name, count in factors.items())
        path: Path = ("load", "repeats") if config.repeats > 1 else ("load",)
        reads: tuple[Path, ...] = (("models",), ("dataset",), ("load",))
        what = f"makes {cells:,} cells ({counted}), and a run has at most {MOST_CELLS:,}"
        yield Finding(path, what, "leave some out, or make several runs", reads)


def _windows(config: Config) -> Iterator[Finding]:
    load = config.load
    if load.max_duration_s is not None and load.max_duration_s < load.duration_s:
        what = f"is shorter than load.duration_s ({load.duration_s:g})"
        yield Finding(("load", "max_duration_s"), what, "make it as long at least, or leave it out", (("load", "duration_s"),))
