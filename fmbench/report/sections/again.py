"""How to run the same study again, and to write this report again."""

from __future__ import annotations

import shlex

from fmbench.report.blocks import Block, Code, Text, code, text
from fmbench.report.numbers import DASH
from fmbench.report.section import Material, Section

USUAL = "fmbench-load --config config.yml"


def blocks(material: Material) -> list[Block | None]:
    """How to run the same study again, and to write this report again."""

    study = material.study
    manifest = study.manifest
    command = _to_be_pasted(manifest.get("command"))
    address = f"{study.config.get('output') or 'results'}/{manifest.get('run_id')}"
    version = (manifest.get("versions") or {}).get("fmbench-load")
    seed = text(manifest.get("seed", DASH))
    with_version = f" with fmbench-load {text(version)}" if version else ""
    return [
        Text(f"The same study{with_version}: the same prompts in the same order to each user (seed {seed})."),
        Code(command, "sh"),
        Text(f"{code('config.yml')} in this run's folder is the configuration as resolved. It gives the same study anywhere:"),
        Code(USUAL, "sh"),
        Text("This report again from the stored records, byte for byte:"),
        Code(f"fmbench-load report {shlex.quote(address)}", "sh"),
    ]


def _to_be_pasted(command: object) -> str:
    """The command as a shell takes it for one command of this program, whatever a manifest says."""
    try:
        words = shlex.split(str(command or USUAL))
    except ValueError:
        return USUAL
    return shlex.join(words) if words[:1] == ["fmbench-load"] else USUAL


SECTION = Section("Run it again", blocks)
