"""What a load process works with: the configuration, the prompts, one caller a model, prices; made once, before measuring."""

from __future__ import annotations

import gc
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import gevent

from fmbench.bedrock.caller import Caller, Endpoint, PreparedCall
from fmbench.bedrock.sdk_retries import SdkRetries
from fmbench.config.load import stored_config
from fmbench.config.schema import Config, Model
from fmbench.core.failures import FmbenchError, Refused, UnusableInput
from fmbench.core.levels import most_in_flight
from fmbench.core.names import below
from fmbench.core.plan import Plan, PromptFile
from fmbench.core.prices.book import asked_of
from fmbench.core.prices.price import Price
from fmbench.core.prices.route import Route
from fmbench.core.quota.burst import Burst
from fmbench.core.quota.names import whose
from fmbench.core.records import Cell, Prompt, Record
from fmbench.load.protocol import Address
from fmbench.prompts import payload
from fmbench.prompts.burst import burst_prompt


@dataclass(slots=True, kw_only=True)
class CellRequests:
    """A cell's prompts, ready to be sent to its model."""

    prompts: list[Prompt]
    calls: list[PreparedCall]
    caller: Caller
    price: Price | None
    max_tokens: int
    region: str | None
    salted: bool
    own_salt: str | None = None
    """The one salt of all requests of its model; None: each has its own."""
    bounds_usd: list[float | None] = field(init=False)
    """The most that a request with each prompt can cost; None where the price is not known."""

    def __post_init__(self) -> None:
        price = self.price
        self.bounds_usd = [None if price is None else price.bound(prompt.tokens, self.max_tokens) for prompt in self.prompts]

    def salt_for(self, first: Record) -> str | None:
        """The salt of a request's attempts, which send the same prompt; None: there is none."""
        if not self.salted:
            return None
        return self.own_salt or payload.salt_of(first.run_id, first.worker, first.user, first.seq)


class PreparedRun:
    """Reads a prepared run folder. Raises ``Refused`` when it is not there, ``UnusableInput`` when a prompt cannot be sent."""

    def __init__(self, folder: Path, endpoint: Address | None, worker: str = "") -> None:
        self.folder = folder
        self._worker = worker
        self._endpoint = Endpoint() if endpoint is None else Endpoint(endpoint.url, endpoint.ca_bundle)
        self.config: Config = stored_config(_read(folder / "config.yml").decode(), str(folder / "config.yml"))
        self.plan = Plan.from_json(_read(folder / "plan.json"))
        self._models: dict[str, Model] = {model.name: model for model in self.config.models}
        self._files: dict[str, PromptFile] = {file.bucket: file for file in self.plan.prompts}
        self._prompts: tuple[str, list[Prompt]] = ("", [])
        self._callers: dict[str, Caller] = {}
        self._sdk_retries: dict[str, SdkRetries] = {}
        self._requests: tuple[int, CellRequests] | None = None

    def address(self) -> str | None:
        """The URL that requests of the first model go to; None when that cannot be told here, as a cell will say."""
        try:
            return self._endpoint.url or self._caller(self.config.models[0].name).url
        except FmbenchError:
            return None

    def requests_of(self, cell: Cell) -> CellRequests:
        """Everything that requests of ``cell`` need, serialised. The one of the last cell is kept, no other."""
        if self._requests is None or self._requests[0] != cell.number:
            self._requests = (cell.number, self._make_requests(cell))
        return self._requests[1]

    def _make_requests(self, cell: Cell) -> CellRequests:
        prompts, caller = self._bucket(cell.bucket), self._caller(cell.model)
        model = self._models[cell.model]
        calls, salted = [], self.config.salted(model)
        own_salt = payload.salt_of(self.plan.run_id, model.name) if self.config.salted_alike(model) else None
        metadata = {"run": self.plan.run_id, "cell": str(cell.number), "worker": self._worker}
        for prompt in prompts:
            calls.append(caller.prepare(prompt, salted, metadata))
            gevent.sleep(0)
        price = self.plan.price_of(cell.model)
        return CellRequests(
            prompts=prompts,
            calls=calls,
            caller=caller,
            price=price,
            max_tokens=caller.max_tokens,
            region=model.region or self.config.region,
            salted=salted,
            own_salt=own_salt,
        )

    def whose_quota(self, cell: Cell) -> tuple[str, ...]:
        """What tells the quota that requests of ``cell`` take of from others."""
        model = self._models[cell.model]
        tier, _latency = asked_of(self.config, model)
        return whose(Route(model.id, model.region or self.config.region), tier, model.endpoint)

    def burst_of(self, cell: Cell, burst: Burst) -> list[CellRequests]:
        """What requests of a burst need: of its own size first, then of half of it, and so on as often as it shrinks."""
        caller, model = self._caller(cell.model), self._models[cell.model]
        metadata = {"run": self.plan.run_id, "cell": str(cell.number), "worker": self._worker}
        found = []
        for halving in range(burst.shrink + 1):
            tokens, most = max(1, burst.prompt_tokens >> halving), max(1, burst.max_tokens >> halving)
            prompt = burst_prompt(tokens, min(burst.output_tokens, most))
            found.append(
                CellRequests(
                    prompts=[prompt],
                    calls=[caller.prepare_sized(prompt, most, metadata)],
                    caller=caller,
                    price=self.plan.price_of(cell.model),
                    max_tokens=most,
                    region=model.region or self.config.region,
                    salted=True,
                )
            )
            gevent.sleep(0)
        return found

    def _caller(self, name: str) -> Caller:
        if name not in self._callers:
            model, config = self._models[name], self.config
            self._callers[name] = Caller(
                model,
                config.inference,
                model.region or config.region,
                config.load.timeouts,
                most_in_flight(config.load),
                config.quality,
                self._endpoint,
                config.cache_points(model),
            )
        return self._callers[name]

    def sdk_retries_of(self, name: str) -> SdkRetries:
        """What boto3 in the mode that was asked for decides about failures of a model; one client's, for the whole run."""
        if name not in self._sdk_retries:
            retry = self.config.load.retry
            assert retry is not None
            self._sdk_retries[name] = SdkRetries(retry.mode, retry.attempts, self._models[name].api)
        return self._sdk_retries[name]

    def _bucket(self, bucket: str) -> list[Prompt]:
        if self._prompts[0] != bucket:
            self._prompts = (bucket, self._read_bucket(self._files[bucket]))
        return self._prompts[1]

    def _read_bucket(self, file: PromptFile) -> list[Prompt]:
        path = below(self.folder, file.file)
        if hashlib.sha256(_read(path)).hexdigest() != file.sha256:
            raise UnusableInput(f"{path}: its bytes are not those that were prepared (SHA-256 differs); prepare the run again.")
        return payload.load(path)


def clear_away() -> None:
    """Collect garbage now, and spare the collector what is there: a walk through it takes 0.1 s and more, and nothing is read."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(
            f"{path}: cannot be read here ({error.strerror}); every load process needs the prepared run folder."
        ) from None
