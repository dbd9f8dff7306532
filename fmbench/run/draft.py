"""``fmbench-load init``: a first configuration, short and commented, from answers, options or one that is shipped."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fmbench.config.load import parse_config
from fmbench.config.shipped import shipped, shipped_as
from fmbench.core.failures import ExitCode, Refused, UnusableInput
from fmbench.core.samples import samples_needed
from fmbench.report.names import bare_name
from fmbench.run.say import say

Read = TypeVar("Read")
Ask = Callable[[str, str], str]
"""``ask(question, usual)``: what was answered; ``usual`` for an empty line."""

_TEMPLATE = """\
# Which of these models, and for how many users? Run it with: fmbench-load {file}
# Look before you spend: fmbench-load {file} --dry-run. Every key: docs/configuration.md
name: {name}
region: {region}
models:                           # any id that Bedrock takes; fmbench-load models lists some
{models}
inference: {{max_tokens: {max_tokens}, temperature: 0.0}}
dataset:
{dataset}
  buckets: ["{bucket}"]           # prompt tokens, from and below
load:
  concurrency: [{users}]           # users at a time: a step for each
  warmup_s: 3                     # sent, and not counted
  duration_s: 8                   # of each step; longer gives surer percentiles
  min_requests: {min_requests}                # {why}: a step goes on until it has them
objectives:                       # what is good enough; of the models that are, the cheapest is recommended
  bucket: en_{bucket}
{limits}
  prefer: cost                    # or latency, throughput
budget: {{max_usd: 5, max_requests: 20000}}     # no request is sent that could pass it
{simulator}
"""
_SIMULATED = "simulator: {}                     # the simulator answers; take this line out to measure the models"
_REAL = "# simulator: {}                   # without the # the simulator answers, and AWS is never called"
_NO_LIMIT = "  # ttft_p95_s: 1.5               # time to first token that 95 of 100 answers have to keep"
_BUCKET = re.compile(r"\d+-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a first configuration says."""

    models: tuple[str, ...]
    region: str = "us-east-1"
    data: str | None = None
    """A file or folder of prompts, or ``longbench``; None: synthetic ones."""
    bucket: str = "500-1000"
    users: tuple[int, ...] = (10, 20)
    max_tokens: int = 64
    ttft_p95_s: float | None = 1.5
    e2e_p95_s: float | None = None
    simulate: bool = False

    def text(self, file: Path) -> str:
        """The YAML file."""
        limits = [f"  {key}: {getattr(self, key):g}" for key in ("ttft_p95_s", "e2e_p95_s") if getattr(self, key) is not None]
        return _TEMPLATE.format(
            file=file,
            name=re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).lstrip("-._")[:80] or "study",
            region=self.region,
            models="\n".join(self._models()),
            max_tokens=self.max_tokens,
            dataset=self._dataset(),
            bucket=self.bucket,
            users=", ".join(str(users) for users in self.users),
            min_requests=samples_needed(0.95) if limits else 20,
            why="as many as a p95 takes" if limits else "at least",
            limits="\n".join(limits) or _NO_LIMIT,
            simulator=_SIMULATED if self.simulate else _REAL,
        )

    def _models(self) -> list[str]:
        """A line or two a model: its id, and a short name where that is another one."""
        names = {model: bare_name(model) for model in self.models}
        plain = len(set(names.values())) == len(names)
        return [f"  - id: {model}" + (f"\n    label: {name}" if plain and name != model else "") for model, name in names.items()]

    def _dataset(self) -> str:
        if self.data is None:
            return "  source: synthetic               # or longbench, huggingface, jsonl with your own prompts (docs/datasets.md)"
        if self.data == "longbench":
            return "  source: longbench               # the published tasks, fetched from the hub"
        return f'  source: jsonl\n  path: "{self.data}"'


def init(file: Path, name: str | None, draft: Draft, ask: Ask | None) -> int:
    """Write ``file``: the shipped configuration ``name``, or what ``draft`` says after the questions that ``ask`` asks.

    Raises ``Refused`` when the file exists, ``UnusableInput`` when there is nobody to ask and nothing was said.
    """
    taken = f"{file}: exists already, and is left as it is; give another name: fmbench-load init mine.yml."
    if name is not None:
        text = shipped_as(name).text
    elif file.exists():
        raise Refused(taken)
    elif draft.models:
        text = draft.text(file)
    elif ask is not None:
        text = asked(draft, ask).text(file)
    else:
        names = "|".join(each.name for each in shipped())
        raise UnusableInput(f"nobody is there to ask: say which models, with --model ID (repeatable), or --from {names}.")
    if file.exists():
        raise Refused(taken)
    parse_config(text, str(file))
    _write(file, text)
    say(f"{file} is written. Look at it, then: fmbench-load {file} --dry-run, and fmbench-load {file}.")
    print(file, flush=True)
    return ExitCode.DONE


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise Refused(f"{file}: cannot be written ({error.strerror or error}); give another place.") from None


def asked(draft: Draft, ask: Ask) -> Draft:
    """``draft`` with what was answered to a question each; an answer that cannot be is asked for again."""
    models = _until(ask, "Models, with commas between (ids, or words of them)", "nova-lite, haiku", _models)
    region = _until(ask, "Region", draft.region, _region)
    data = _until(ask, "Prompts: synthetic, longbench, or a path of your own .jsonl", "synthetic", _data)
    bucket = _until(ask, "Length of the prompts in tokens, from-below", draft.bucket, _bucket)
    users = _until(ask, "Users at a time, with commas between", ", ".join(map(str, draft.users)), _users)
    ttft = _until(ask, "Time to first token that 95 of 100 answers have to keep, in seconds (0: no matter)", "1.5", _seconds)
    e2e = _until(ask, "Time to the whole answer likewise (0: no matter)", "0", _seconds)
    simulate = _until(ask, "Against the simulator first, without AWS and cost? (yes, no)", "yes", _yes)
    draft = replace(draft, models=models, region=region, data=data, bucket=bucket, users=users)
    return replace(draft, ttft_p95_s=ttft, e2e_p95_s=e2e, simulate=simulate)


def _until(ask: Ask, question: str, usual: str, read: Callable[[str], Read]) -> Read:
    while True:
        try:
            return read(ask(question, usual).strip())
        except ValueError as error:
            say(f"{error}.")


def on_terminal(question: str, usual: str) -> str:
    """Ask on stderr; the end of the input is no answer to anything."""
    print(f"{question} [{usual}]: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise UnusableInput("the questions were not answered; nothing was written.")
    return line.strip() or usual


def model_ids(words: Sequence[str]) -> tuple[str, ...]:
    """An id for each of ``words``: itself, or the shipped one that it is a part of. Raises ``ValueError``."""
    known = list(dict.fromkeys(model for each in shipped() for model in each.models))
    return tuple(_model_id(word, known) for word in words)


def _model_id(word: str, known: Sequence[str]) -> str:
    if "." in word or word.startswith("arn:"):
        return word
    found = [model for model in known if word.lower() in model.lower()]
    if found:
        return found[0]
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.3)
    hint = f"; the nearest is {close[0]}" if close else ""
    raise ValueError(f'no model is called "{word}" here{hint}: fmbench-load models lists some, and any id of Bedrock will do')


def _models(text: str) -> tuple[str, ...]:
    words = [word for word in re.split(r"[,\s]+", text) if word]
    if not words:
        raise ValueError("name at least one model")
    return model_ids(words)


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", text):
        raise ValueError(f'"{text}" is no region: write it as us-east-1')
    return text


def _data(text: str) -> str | None:
    if text in ("synthetic", "longbench"):
        return None if text == "synthetic" else text
    if '"' in text or not Path(text).expanduser().exists():
        raise ValueError(f'"{text}" is neither synthetic nor longbench, and there is no such file')
    return text


def _bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text) or int(text.split("-")[0]) >= int(text.split("-")[1]):
        raise ValueError(f'"{text}" is no range of tokens: write it as 500-1000')
    return text


def _users(text: str) -> tuple[int, ...]:
    numbers = [word for word in re.split(r"[,\s]+", text) if word]
    if not numbers or any(not number.isdigit() or not 1 <= int(number) <= 100_000 for number in numbers):
        raise ValueError(f'"{text}" is no list of numbers: write it as 10, 20')
    return tuple(dict.fromkeys(int(number) for number in numbers))


def _seconds(text: str) -> float | None:
    try:
        number = float(text.removesuffix("s"))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 3600:
        raise ValueError(f'"{text}" is no number of seconds: write it as 1.5')
    return number or None


def _yes(text: str) -> bool:
    if text.lower() not in ("y", "yes", "n", "no"):
        raise ValueError("say yes or no")
    return text.lower().startswith("y")
