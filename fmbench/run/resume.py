"""``--resume RUN_ID``: a cut run's folder, ready to go on with the cells that it did not finish."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmbench.config.load import LoadedConfig, config_sha256, resolved
from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.plan import FINISHED, Plan
from fmbench.core.quota.found import is_finished
from fmbench.core.searches import search_rows
from fmbench.run.accounts import CUT, seal_into
from fmbench.storage.atomic import write_text
from fmbench.storage.journal import written_journals
from fmbench.storage.links import check_links
from fmbench.storage.manifest import at_work, read_manifest
from fmbench.storage.runfolder import RunFolder, work_folder
from fmbench.storage.store import is_remote, store_for
from fmbench.storage.upload import download


def reopen(loaded: LoadedConfig, run_id: str) -> tuple[RunFolder, dict[str, Any]]:
    """The folder and manifest of the run ``run_id`` of this configuration; journals that were left over are sealed.

    Raises ``UnusableInput`` when there is no such run or it had another configuration, ``Refused`` when it is still running.
    """
    folder = _find(loaded.config.output, run_id, loaded.config.region)
    manifest = read_manifest(folder)
    if not folder.plan.exists():
        raise UnusableInput(f"{folder.path}: was cut before its first request; start a new run.")
    _check_same(loaded, manifest, folder)
    _check_over(manifest)
    if written := written_journals(folder.journal):
        names = ", ".join(path.stem for path in written)
        raise Refused(f"--resume {folder.run_id}: load processes of this run still write ({names}); wait for their end.")
    if folder.journal.is_dir():
        seal_into(manifest, folder, CUT)
    return folder, manifest


def cells_left(folder: RunFolder, manifest: dict[str, Any]) -> int:
    """How many cells of the plan are neither complete nor skipped, or how many searches are not over."""
    done = {row["cell"] for row in manifest["cells"] if row["status"] in FINISHED}
    load, plan = manifest["config"]["load"], Plan.from_json(folder.plan.read_bytes())
    if (load.get("search") or {}).get("of") == "quota":
        models = {cell.model for cell in plan.cells}
        return sum(not is_finished(row for row in manifest["cells"] if row["model"] == model) for model in models)
    searches = search_rows(load, manifest["cells"])
    if any(not row["finished"] for row in searches):
        return sum(not row["finished"] for row in searches)
    return len([cell for cell in plan.cells if cell.number not in done])


def make_ready(folder: RunFolder, endpoint: dict[str, str | None] | None) -> None:
    """Point the plan at ``endpoint``, and put Locust's counts of the session before aside."""
    plan = Plan.from_json(folder.plan.read_bytes())
    again = replace(plan, endpoint=endpoint)
    write_text(folder.plan, again.to_json())
    kept = folder.locust / f"session-{len(list(folder.locust.glob('session-*'))) + 1}"
    kept.mkdir(parents=True)
    for name in ("stats.csv", "failures.csv"):
        if (folder.locust / name).exists():
            (folder.locust / name).replace(kept / name)


def _find(output: str, run_id: str, region: str | None) -> RunFolder:
    if not is_remote(output):
        path = Path(output).expanduser() / run_id
        if not path.is_dir():
            raise UnusableInput(f"--resume {run_id}: there is no {path}; give the same --output as before, and the run's id.")
        check_links(path)
        return RunFolder(path)
    store = store_for(f"{output.rstrip('/')}/{run_id}", region)
    path = work_folder(run_id)
    if not (path / "plan.json").exists():
        shutil.rmtree(path, ignore_errors=True)
        download(store, path)
    if not path.is_dir():
        raise UnusableInput(f"--resume {run_id}: there is nothing at {store.address}; give the same --output as before.")
    return RunFolder(path, store.address)


def _check_same(loaded: LoadedConfig, manifest: dict[str, Any], folder: RunFolder) -> None:
    if config_sha256(loaded.config) == manifest["config_sha256"]:
        return
    now, before = resolved(loaded.config), manifest["config"]
    differing = sorted(key for key in {*now, *before} if now.get(key) != before.get(key))
    cure = f"give the same --config, --set and --seed as before (they are in {folder.config})"
    raise UnusableInput(f"--resume {folder.run_id}: the configuration differs in {', '.join(differing)}; {cure}.")


def _check_over(manifest: dict[str, Any]) -> None:
    if at_work(manifest):
        raise Refused(
            f"--resume {manifest['run_id']}: this run goes on in process {manifest['process']['pid']}; wait for its end."
        )
