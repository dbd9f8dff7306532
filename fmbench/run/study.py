"""One run, from a configuration to an exit status."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmbench.config.load import LoadedConfig
from fmbench.config.schema import Config
from fmbench.core.failures import ExitCode, Refused, UnusableInput
from fmbench.core.levels import expected_in_flight
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.load.secret import secret
from fmbench.prompts.reading.hub import Unreachable
from fmbench.run.accounts import close_as
from fmbench.run.calibrate import held_against
from fmbench.run.check import check_before_run
from fmbench.run.checks import (
    ask_about_foreign_prices,
    ask_before_spending,
    check_address,
    check_budget,
    check_open_files,
    check_requests,
    check_target,
    foreign_prices,
    target_name,
)
from fmbench.run.cut import close_cut_cells
from fmbench.run.decidable import decidable
from fmbench.run.deleted import Kept
from fmbench.run.families import with_families
from fmbench.run.finish import finish
from fmbench.run.live import View, view
from fmbench.run.options import Options, command_line
from fmbench.run.plan_table import cost_text, duration_text, print_plan
from fmbench.run.preflight.quotas import check_pacing
from fmbench.run.prepare import Prepared, plan_without_data, prepare_study, serving, this_process, write_run
from fmbench.run.resume import cells_left, make_ready, reopen
from fmbench.run.say import give, say, tell
from fmbench.run.signals import Terminated, code_for, put_off, terminating, word_of
from fmbench.run.sized import sized
from fmbench.storage.disk import said_of
from fmbench.storage.manifest import FAILED, INTERRUPTED, RUNNING, read_manifest, write_manifest
from fmbench.storage.runfolder import RunFolder, create, discard
from fmbench.storage.share import share
from fmbench.storage.upload import forget_local_copy


def run_study(options: Options, loaded: LoadedConfig) -> int:
    """Prepare, load, finish. Returns the exit status; the last line on stdout is the run folder's address."""
    try:
        with terminating():
            return _run_as_asked(options, loaded)
    except (KeyboardInterrupt, Terminated) as signal:
        say(f"{word_of(signal).lower()} before the first request; nothing was kept.")
        return code_for(signal)


def _run_as_asked(options: Options, loaded: LoadedConfig) -> int:
    """A dry run, the rest of a run that was cut, or a new one."""
    if options.dry_run:
        return _dry_run(options, loaded)
    if options.resume is not None:
        return _resume(options, loaded, options.resume)
    return _run(options, loaded)


def prepare_only(options: Options, loaded: LoadedConfig) -> int:
    """A run folder with prompts and plan, for plain Locust to start from; its address is the last line on stdout."""
    folder, prepared = _begin(options, loaded)
    write_run(folder, prepared, None)
    give(folder.address)
    return ExitCode.DONE


def _dry_run(options: Options, loaded: LoadedConfig) -> int:
    loaded = with_families(loaded)
    config = loaded.config
    check_address(config)
    check_requests(loaded)
    book = price_book(config, options.live_prices)
    with tempfile.TemporaryDirectory(prefix="fmbench-load-") as scratch:
        try:
            prepared = prepare_study(loaded, book, Path(scratch))
        except Unreachable as error:
            prepared = plan_without_data(loaded, book, str(error))
    _warn(prepared)
    print_plan(prepared.estimate, target_name(config))
    for line in decidable(config, prepared.estimate):
        print(line)
    if _fit(options, prepared) is None:
        for line in sized(prepared.estimate, options):
            print(line)
    check_budget(config, book)
    return ExitCode.DONE


def _begin(options: Options, loaded: LoadedConfig) -> tuple[RunFolder, Prepared]:
    """Check, make the run folder, prepare. A run that cannot start leaves nothing behind."""
    loaded = with_families(loaded)
    config = loaded.config
    book = price_book(config, options.live_prices)
    check_budget(config, book)
    ask_about_foreign_prices(config, prices_of(config, book), options.yes)
    check_target(config)
    check_requests(loaded)
    check_open_files(config, options)
    folder = create(config.output, config.name, region=config.region)
    try:
        prepared = prepare_study(loaded, book, folder.prompts)
        _warn(prepared)
        ask_before_spending(config, prepared.estimate, options)
        quotas = check_before_run(config, book)
        check_pacing(config, quotas)
    except BaseException:
        with put_off():
            discard(folder, config.region)
        raise
    return folder, replace(prepared, quotas=quotas)


def _run(options: Options, loaded: LoadedConfig) -> int:
    folder, prepared = _begin(options, loaded)
    _announce(folder, prepared)
    try:
        fit = _fit(options, prepared)
        with serving(prepared.config) as endpoint:
            manifest = write_run(folder, prepared, endpoint, fit)
            status = _load(folder, prepared.config, options, manifest)
    except BaseException as raised:
        error = _in_words(raised, folder)
        with put_off(again=False):
            kept = _leave(folder, prepared.config, error)
        if kept and isinstance(error, (KeyboardInterrupt, Terminated)):
            return code_for(error)
        if error is raised:
            raise
        raise error from raised
    return status()


def _in_words(error: BaseException, folder: RunFolder) -> BaseException:
    """What the disk refused before the load began has a cure."""
    said = None if folder.journal.exists() else said_of(error)
    return error if said is None else Refused(f"{said}.")


def _leave(folder: RunFolder, config: Config, error: BaseException) -> bool:
    """A load that did not come about, or whose end a signal cut: its folder goes when nothing was sent, and is shown when the
    fault is ours or there are requests in it. Returns whether it was kept."""
    signalled = isinstance(error, (KeyboardInterrupt, Terminated))
    if (signalled or isinstance(error, (Refused, UnusableInput))) and not folder.journal.exists():
        discard(folder, config.region)
        return False
    if folder.manifest.exists():
        manifest = read_manifest(folder)
        manifest |= {} if signalled else {"fault": str(error)}
        close_as(INTERRUPTED if signalled else FAILED, manifest, folder)
    if signalled:
        say(f"{word_of(error)} before the run was finished: fmbench-load report {folder.path} does the rest.")
    give(str(folder.path))
    return True


def _resume(options: Options, loaded: LoadedConfig, run_id: str) -> int:
    loaded = with_families(loaded)
    config = loaded.config
    check_budget(config, price_book(config, options.live_prices))
    check_target(config)
    check_requests(loaded)
    check_open_files(config, options)
    with put_off():
        folder, manifest = reopen(loaded, run_id)
        close_cut_cells(folder)
    try:
        return _go_on(options, config, folder, manifest)
    except (KeyboardInterrupt, Terminated) as signal:
        with put_off(again=False):
            close_as(INTERRUPTED, manifest, folder)
        say(f"{word_of(signal)}: of the run {folder.run_id} nothing is lost; --resume {folder.run_id} goes on with it.")
        return code_for(signal)


def _go_on(options: Options, config: Config, folder: RunFolder, manifest: dict[str, Any]) -> int:
    left = cells_left(folder, manifest)
    say(f"Run {folder.run_id} goes on: {left} of its cells are left.")
    if not left:
        return finish(folder, config, manifest, "done", options.require)
    with serving(config) as endpoint:
        make_ready(folder, endpoint)
        resumed = {"command": command_line(), "started_at": time.time()}
        manifest |= {"status": RUNNING, "process": this_process(), "resumed": [*manifest.get("resumed", []), resumed]}
        write_manifest(folder, manifest)
        status = _load(folder, config, options, manifest)
    return status()


def price_book(config: Config, live: bool) -> PriceBook:
    """The prices of a configuration; ``live``: with AWS's own price list of today. Raises ``Refused`` when that cannot be
    read."""
    if not live:
        return PriceBook(config.pricing, config.region)
    from fmbench.bedrock.price_list import fetch_price_list

    regions = {region for model in config.models if (region := model.region or config.region) is not None}
    return PriceBook(config.pricing, config.region, live=fetch_price_list(regions))


def _load(folder: RunFolder, config: Config, options: Options, manifest: dict[str, Any]) -> Callable[[], int]:
    """Put the load on. Returns what finishes the run and gives its exit status; where a web page stayed, that is done already."""
    elsewhere = options.master and folder.is_remote
    if elsewhere:
        share(folder, config.region)
    if options.master:
        say(workers_wanted(options))
    shown, known, kept, prepared = view(), list[int](), list[RunFolder](), Kept(folder)

    def over(ended: str) -> None:
        shown.close()
        prepared.put_back(manifest)
        known.append(
            finish(folder, config, manifest, ended, options.require, leave=kept.append)
        )  # the page shows the report from it
        say(f"The web UI at http://127.0.0.1:{options.web_port}/ stays until it is closed (Ctrl-C, or Close on its page).")

    try:
        ended = _launch(folder, options, elsewhere, shown, over)
    finally:
        shown.close()
        for stored in kept:
            forget_local_copy(stored)
    if not known:
        prepared.put_back(manifest)
    return lambda: known[0] if known else finish(folder, config, manifest, ended, options.require)


def _launch(folder: RunFolder, options: Options, elsewhere: bool, shown: View, over: Callable[[str], None]) -> str:
    from fmbench.load.launch import launch

    return launch(
        folder.path,
        processes=options.processes,
        master=options.master,
        expect_workers=options.expect_workers,
        web=options.web,
        web_port=options.web_port,
        store=folder.address if elsewhere else None,
        listen=(options.master_host, options.master_port),
        take=shown.take,
        over=over,
    )


def _warn(prepared: Prepared) -> None:
    foreign = foreign_prices(prepared.config, prepared.prices)
    for warning in (*prepared.loaded.warnings, *prepared.prompts.warnings, *foreign):
        say(f"warning: {warning}")


def _fit(options: Options, prepared: Prepared) -> dict[str, Any] | None:
    """Tell whether this machine carries the plan; what the manifest keeps of that."""
    load, rows = prepared.config.load, prepared.estimate.rows
    fit = held_against(options, [expected_in_flight(load, row.cell, row.answer_s or 0.0) for row in rows])
    if fit is None:
        return None
    say(fit.words())
    return fit.entry()


def _announce(folder: RunFolder, prepared: Prepared) -> None:
    expected = prepared.estimate
    tell("started", run_id=folder.run_id, run=folder.address, cells=len(expected.rows), requests=expected.requests)
    cells = f"{len(expected.rows)} cell{'s' if len(expected.rows) != 1 else ''}"
    requests = f"about {expected.requests:,} request{'s' if expected.requests != 1 else ''}"
    what = f"{cells}, {requests}, {duration_text(expected.seconds)}, {cost_text(expected)}"
    say(f"Run {folder.run_id} against {target_name(prepared.config)}: {what}.")


def workers_wanted(options: Options) -> str:
    """What a master waits for, and the command that brings it."""
    count = options.expect_workers
    port = f" --master-port {options.master_port}" if options.master_port else ""
    host = options.master_host or socket.gethostname()
    shared = ", with the same FMBENCH_SECRET" if secret() else ""
    start = f"fmbench-load --worker --master-host {host}{port}"
    return f"Waiting for {count} worker{'s' if count != 1 else ''}. On each of their machines{shared}:\n  {start}"
