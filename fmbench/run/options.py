"""What the command line says about a run, besides its configuration."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import dataclass, field, replace

from fmbench.config.files import STDIN
from fmbench.config.load import LoadedConfig, load_config, parse_config
from fmbench.config.overrides import without_secret
from fmbench.core.failures import UnusableInput
from fmbench.run.say import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One call of ``fmbench-load --config …``."""

    config: str = ""
    """Nothing for a worker alone: its master has the configuration."""
    overrides: list[str] = field(default_factory=list)
    output: str | None = None
    seed: int | None = None
    dry_run: bool = False
    yes: bool = False
    processes: int = 1
    master: bool = False
    expect_workers: int = 1
    worker: bool = False
    master_host: str | None = None
    """Where a worker finds the master; for the master: the address to listen on, None: all."""
    master_port: int | None = None
    web: bool = False
    web_port: int = 8089
    resume: str | None = None
    require: str | None = None
    """``valid``: a run that is done and not PASS ends with a status of its own."""
    quiet: bool = False
    json: bool = False
    live_prices: bool = False
    """Whether AWS's own price list is fetched and asked before the built-in one."""

    @classmethod
    def from_arguments(cls, parsed: argparse.Namespace) -> Options:
        """The options that were given; those that were not keep their defaults."""
        given = {name: getattr(parsed, name, None) for name in cls.__dataclass_fields__}
        return cls(**{name: value for name, value in given.items() if value is not None})

    def load(self) -> LoadedConfig:
        """The configuration with what the command line puts over it, and the region of AWS's variables or profile under it.

        boto3 itself does not read ``AWS_REGION``, which AWS's other tools, ECS and Lambda set. Raises ``UnusableInput``.
        """
        loaded = self._from_file()
        region = loaded.config.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region and loaded.config.simulator is None:
            from fmbench.bedrock.client import own_region

            region = own_region()
        return replace(loaded, config=loaded.config.model_copy(update={"region": region or None}))

    def _from_file(self) -> LoadedConfig:
        from fmbench.prompts.sources import CHECKS
        from fmbench.storage.store import is_remote, store_for

        if self.config == STDIN and sys.stdin is not None and sys.stdin.isatty():
            say("The configuration is read from standard input: type or paste it, Ctrl-D ends it.")
        if not is_remote(self.config):
            return load_config(self.config, self.overrides, self.output, self.seed, CHECKS)
        folder, _, name = self.config.rpartition("/")
        try:
            data = store_for(folder).get_bytes(name)
        except FileNotFoundError:
            raise UnusableInput(f"{self.config}: there is no such object; give the address of a YAML file.") from None
        return parse_config(data, self.config, self.overrides, self.output, self.seed, CHECKS)


def command_line() -> str:
    """The exact command that this process was started with, to be pasted into a shell; secrets hidden."""
    return shlex.join(["fmbench-load", *(without_secret(argument) for argument in sys.argv[1:])])
