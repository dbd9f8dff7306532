"""The configuration as resolved, where it ran, and how the load processes fared."""

from __future__ import annotations

import json

from fmbench.report.blocks import Block, Code, Fold, Table, code, table, text
from fmbench.report.numbers import (
    count,
    known,
    plain,
    seconds,
    share,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.words import (
    calibration,
    level_number,
)


def blocks(material: Material) -> list[Block | None]:
    """The configuration as resolved, where it ran, and how the load processes fared."""

    study, config_text = material.study, material.config_text
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
        ("Calibration", calibration(study)),
    ]
    whole = Fold("The configuration, as resolved", (Code(kept, "yaml" if config_text else "json"),))
    return [whole, _facts(found), _instrument_by_cell(study), *material.pictures_of("configuration")]


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
        free = "latency" if late.get("ends") else "TTFT"
        return f"{figures} from arrival to reading, measured on {late['requests']:,} requests; in no {free}"
    return f"{plain(1000 * lag, 'ms')} (p95 over seconds of the load processes' p99 lag)" if known(lag) else ""


def _facts(pairs: list[tuple[str, str]]) -> Table | None:
    """Two columns of facts; those without a value are left out."""
    rows = [[name, value] for name, value in pairs if value]
    return table(["", ""], rows, left=(0, 1)) if rows else None


def _instrument_by_cell(study: Study) -> Table | None:
    """How the load processes fared, cell by cell. None where nothing was recorded of them."""
    rows = []
    for cell in study.cells:
        found = cell.get("instrument") or {}
        if cell["requests"] and known(found.get("lag_s")):
            name = [text(study.short(cell["model"])), text(cell["bucket"]), level_number(cell)]
            figures = [seconds(found["lag_s"]), share(found["cpu"]), seconds(found["start_delay_p99_s"])]
            rows.append([*name, found["verdict"], *figures, count(found["new_connections"])])
    titles = ["", "Bucket", study.level_heading, "Instrument", "Lag", "CPU, of a core", "Intended to sent p99", "New connections"]
    return table(titles, rows, left=(0, 1, 3), caption="The load processes in each measured window.") if rows else None


SECTION = Section("Configuration and environment", blocks)
