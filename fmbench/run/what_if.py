"""A stored run's report with other objectives: from the same records, and the run stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmbench.config.document import read_document, write_document
from fmbench.config.faults import all_faults
from fmbench.config.load import check, resolved, resolved_yaml
from fmbench.config.overrides import apply_override
from fmbench.config.schema import Config
from fmbench.core.failures import UnusableInput
from fmbench.storage.reader import LocalRun
from fmbench.storage.runfolder import RunFolder

if TYPE_CHECKING:
    from fmbench.report.drawing import Drawing

REPORT = ("summary.json", "summary.csv", "report.md", "report.html", "plots")
OURS = (*REPORT, "config.yml", "fmbench.log")


def what_if(run: LocalRun, overrides: Sequence[str], to: Path | None, drawing: Drawing | None = None) -> dict[str, Any]:
    """The summary, as summary.json would have it, with ``objectives.KEY=VALUE`` over the run's own; its report goes to ``to``,
    with pictures of ``drawing``, where that has been started.

    Raises ``UnusableInput`` for anything else than an objective, and for a folder that has something in it.
    """
    from fmbench.core.summary import summarise_table
    from fmbench.report import write_report
    from fmbench.report.summary import worded
    from fmbench.run.evidence import table_of

    config = _changed(run, overrides)
    if to is not None and to.exists() and any(to.iterdir()):
        raise UnusableInput(f"{to}: is there already, and not empty; give another folder.")
    manifest = run.manifest | {"config": resolved(config)}
    gaps = None if drawing is None else drawing.gaps(run.folder.records, run.manifest.get("cells") or [])
    table = table_of(run)
    summary = summarise_table(table, manifest, run.health())
    if to is not None:
        with tempfile.TemporaryDirectory(prefix="fmbench-load-") as scratch:
            view = _view(run, Path(scratch) / run.path.name, manifest, config)
            write_report(view, summary, table, drawing, gaps)
            _take_out(view.path, to)
    said: dict[str, Any] = worded(summary)
    return said


def _changed(run: LocalRun, overrides: Sequence[str]) -> Config:
    document = read_document(write_document(run.manifest.get("config") or {}), run.address)
    for override in overrides:
        if not override.startswith("objectives."):
            raise UnusableInput(f"--set {override}: of a stored run only objectives can be changed: objectives.ttft_p95_s=0.4.")
        apply_override(document, override)
    config, faults = check(document)
    if faults or config is None:
        raise UnusableInput(all_faults(faults, run.address))
    return config


def _view(run: LocalRun, folder: Path, manifest: dict[str, Any], config: Config) -> LocalRun:
    """The run as it would look with the changed configuration: its own files, but for the report's."""
    folder.mkdir()
    for entry in run.path.iterdir():
        if entry.name not in OURS:
            (folder / entry.name).symlink_to(entry.resolve())
    (folder / "config.yml").write_text(resolved_yaml(config), encoding="utf-8")
    view = LocalRun(RunFolder(folder, run.address))
    view.__dict__["manifest"] = manifest
    return view


def _take_out(folder: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name in REPORT:
        if (folder / name).exists():
            shutil.move(folder / name, to / name)
