"""A run folder that is deleted while the load runs: load processes write their journals again, and here is the rest of it."""

from __future__ import annotations

from typing import Any

from fmbench.run.say import say
from fmbench.storage.atomic import write_bytes
from fmbench.storage.runfolder import RunFolder

SAID = (
    "the run folder was deleted while the load ran, and the load was stopped. Every request that was sent is accounted for: "
    "what the load processes still held was written there again; prompts, health and reports of before are gone."
)


class Kept:
    """What a report and the rest of a run need of the folder as it was prepared."""

    def __init__(self, folder: RunFolder) -> None:
        self._texts = {path: path.read_bytes() for path in (folder.config, folder.plan)}

    def put_back(self, manifest: dict[str, Any]) -> None:
        """Write what is missing again, and say so here and among the manifest's warnings."""
        missing = {path: text for path, text in self._texts.items() if not path.exists()}
        for path, text in missing.items():
            write_bytes(path, text)
        if missing:
            say(f"warning: {SAID}")
            manifest["warnings"] = [*manifest.get("warnings", []), SAID]
