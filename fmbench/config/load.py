"""From a YAML file to a checked ``Config``: every fault at once, in one message."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from fmbench.config.document import DEEPEST, MOST_WRITTEN, Document, is_too_deep, read_document, write_document
from fmbench.config.extends import extended
from fmbench.config.faults import SECRET_KEYS, Fault, Path, all_faults, value_text
from fmbench.config.files import LARGEST_FILE, STDIN, read_some, read_stdin
from fmbench.config.messages import faults_of
from fmbench.config.overrides import apply_override
from fmbench.config.schema import Config
from fmbench.config.together import NO_CHECKS, Checks, Finding, conflicts, missing_files, warnings
from fmbench.config.wrong_file import cure_of, what_it_is
from fmbench.core.failures import UnusableInput

_SECTIONS = ("inference", "dataset", "load", "objectives", "budget", "pricing", "traffic", "simulator")
FROM_STDIN = "standard input"
"""What messages call a configuration that came there. What it extends is read from the working directory."""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that can be used, and what is worth a warning about it."""

    config: Config
    source: str
    warnings: list[str]
    places: dict[Path, str] = field(default_factory=dict)
    """Where each key of it stands (``cfg.yml:12``, ``--set load.seed``)."""


def load_config(
    address: str,
    overrides: Sequence[str] = (),
    output: str | None = None,
    seed: int | None = None,
    checks: Checks = NO_CHECKS,
) -> LoadedConfig:
    """The configuration in the file at ``address`` (``-``: on standard input), with what the command line puts over it.

    Raises ``UnusableInput`` with one message that names every fault: file and line, path, value, cure.
    """
    if address == STDIN:
        return parse_config(_read_stdin(), FROM_STDIN, overrides, output, seed, checks)
    return parse_config(_read_file(address), address, overrides, output, seed, checks)


def parse_config(
    data: str | bytes,
    source: str,
    overrides: Sequence[str] = (),
    output: str | None = None,
    seed: int | None = None,
    checks: Checks = NO_CHECKS,
) -> LoadedConfig:
    """As ``load_config``, from what the file holds; messages call it ``source``."""
    try:
        document = extended(read_document(text_of(data, source), source, most=MOST_WRITTEN), source)
    except RecursionError:
        raise UnusableInput(f"{source}: is nested more than {DEEPEST} levels deep; no key of a configuration is.") from None
    if document.value is None and not document.faults and not overrides:
        document.faults.append(Fault(source, (), None, "is empty", "write at least models: with one id"))
    if is_too_deep(document.value):
        raise UnusableInput(f"{source}: is nested more than {DEEPEST} levels deep; no key of a configuration is.")
    if document.value is not None and not isinstance(document.value, dict):
        document.faults.append(Fault(source, (), None, "holds no keys", "write key: value lines, models: first"))
        document.value = None
    for override in overrides:
        apply_override(document, override)
    for key, value in (("output", output), ("seed", seed)):
        _put_option(document, key, value)
    config, faults = check(document, checks)
    if config is not None:
        faults += [_fault(finding, document) for finding in missing_files(config)]
    if faults or config is None:
        raise UnusableInput(all_faults(faults, source))
    return LoadedConfig(config, source, [*warnings(config), *checks.warnings(config)], document.places)


def stored_config(text: str, source: str) -> Config:
    """The configuration of a prepared run: the files its prompts were made from need not be here. Raises ``UnusableInput``."""
    config, faults = check(read_document(text, source))
    if faults or config is None:
        raise UnusableInput(all_faults(faults, source))
    return config


def check(document: Document, checks: Checks = NO_CHECKS) -> tuple[Config | None, list[Fault]]:
    """The document's configuration (None: not even in parts usable), and all that is wrong with it."""
    faults = list(dict.fromkeys(document.faults))
    if not isinstance(document.value, dict):
        return None, faults
    _fill_empty_sections(document)
    value, removed = copy.deepcopy(document.value), set[Path]()
    while True:
        try:
            config = Config.model_validate(value)
            break
        except ValidationError as error:
            found = faults_of(error, Document(document.origin, value, document.places))
            known = set(faults)
            faults += [fault for fault in found if fault.path not in removed and fault not in known]
            if not _remove(value, removed, [fault.path for fault in found]):
                return None, faults
    between = [*conflicts(config), *checks.findings(config)]
    faults += [_fault(finding, document) for finding in between if not _touches(finding, removed)]
    return config, faults


def resolved_yaml(config: Config) -> str:
    """``config`` with every default written out and no secret: what ``config.yml`` of a run folder holds. It loads again."""
    return write_document(resolved(config))


def resolved(config: Config) -> dict[str, Any]:
    """``config`` as plain values, without secrets and without keys that are not set."""
    values: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    for model, written in zip(config.models, values["models"], strict=True):  # null takes a common parameter away
        written["inference"] |= {key: None for key in model.inference.model_fields_set if getattr(model.inference, key) is None}
    if config.simulator is not None:  # keys that simulator.models leaves out come from simulator.profile, not from a default
        values["simulator"] = config.simulator.model_dump(mode="json", exclude_unset=True)
    return {key: _without_secrets(value) for key, value in values.items()}


def config_sha256(config: Config) -> str:
    """The digest of the resolved configuration: the same for two files that mean the same."""
    return hashlib.sha256(resolved_yaml(config).encode()).hexdigest()


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items() if key not in SECRET_KEYS}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def text_of(data: str | bytes, source: str) -> str:
    """What a file says. Raises ``UnusableInput`` for what is no text of a configuration's size."""
    if len(data) > LARGEST_FILE:
        raise UnusableInput(f"{source}: is larger than {LARGEST_FILE // 1_000_000} MB; give the right file.")
    try:
        return data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{source}: is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None


def _read_stdin() -> bytes:
    try:
        return read_stdin()
    except OSError as error:
        cure = "pipe a configuration into it, or give the path of a YAML file"
        raise UnusableInput(f"{FROM_STDIN}: cannot be read ({error.strerror or error}); {cure}.") from None


def _read_file(address: str) -> bytes:
    try:
        data = read_some(File(address).expanduser())
    except OSError as error:
        cure = cure_of(address)
        ending = "" if cure.endswith("?") else "."
        raise UnusableInput(f"{address}: cannot be read ({error.strerror or error}); {cure}{ending}") from None
    other = what_it_is(address)
    if other is not None:
        raise UnusableInput(f"{address}: {other}.")
    return data


def _put_option(document: Document, key: str, value: Any) -> None:
    if value is not None and isinstance(document.value, dict):
        document.value[key] = value
        document.places[(key,)] = f"--{key} {value}"


def _fill_empty_sections(document: Document) -> None:
    """A section whose key stands there with nothing below it means its defaults; ``simulator: null`` means none."""
    for key in _SECTIONS:
        if key in document.value and document.value[key] is None and (key != "simulator" or (key,) in document.left_empty):
            document.value[key] = {}


def _remove(value: Any, removed: set[Path], paths: list[Path]) -> bool:
    """Take out what is faulty, so that the rest can be checked as a whole; False: there is nothing left to take out."""
    progress = False
    for path in sorted(paths, key=lambda path: [str(step) for step in path]):
        target = path if len(path) < 3 or isinstance(path[-1], str) else path[:2]
        for cut in (target, path[:1]):
            if cut not in removed and _delete(value, cut):
                removed.update({path, cut})
                progress = True
                break
    return progress


def _delete(value: Any, path: Path) -> bool:
    for step in path[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(value, dict) and path and path[-1] in value:
        del value[path[-1]]
        return True
    return False


def _touches(finding: Finding, removed: set[Path]) -> bool:
    about = (finding.path, *finding.reads)
    return any(path[: len(cut)] == cut or cut[: len(path)] == path for cut in removed for path in about)


def _fault(finding: Finding, document: Document) -> Fault:
    value: Any = document.value
    for step in finding.path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return Fault(document.place(finding.path), finding.path, None, finding.what, finding.cure)
    return Fault(document.place(finding.path), finding.path, value_text(value, finding.path), finding.what, finding.cure)
