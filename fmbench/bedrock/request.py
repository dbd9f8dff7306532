"""One prompt's request: serialised once, and given its salt, its signature and its bytes for each time it is sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fmbench.bedrock.apis.base import AnswerMaker, Api
from fmbench.bedrock.cache_points import Asking
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.bedrock.signing import Envelope
from fmbench.config.schema import CachePoints, Inference, Model
from fmbench.core.records import Exchange, Prompt
from fmbench.prompts.payload import SALT_LENGTH, salted


@dataclass(slots=True, frozen=True)
class PreparedCall:
    """A prompt, validated and serialised. The salt goes between the two halves of the body."""

    prompt: Prompt
    answer: AnswerMaker
    envelope: Envelope
    before_salt: bytes
    after_salt: bytes
    takes_salt: bool

    def body(self, salt: str | None) -> bytes:
        """The body to send. Raises ``ValueError`` for a salt where none fits, none where one is due, or one of another length."""
        if not self.takes_salt and salt is None:
            return self.before_salt
        if not self.takes_salt or salt is None or len(salt) != SALT_LENGTH:
            raise ValueError(f"a salted prompt takes a salt of {SALT_LENGTH} characters, any other none; given: {salt!r}")
        return self.before_salt + salt.encode("ascii") + self.after_salt


@dataclass(slots=True, frozen=True)
class Asked:
    """What every request of one model asks for besides its answer."""

    service_tier: str | None
    latency_mode: str | None

    @classmethod
    def of(cls, inference: Inference) -> Asked:
        """From the parameters of a model."""
        tier, mode = (inference.service_tier or {}).get("type"), (inference.performance_config or {}).get("latency")
        return cls(None if tier is None else str(tier), None if mode is None else str(mode))

    def exchange(self, started_ns: int) -> Exchange:
        """The exchange of a request that begins now."""
        return Exchange(
            started_ns=started_ns,
            service_tier_asked=self.service_tier,
            latency_mode_asked=self.latency_mode,
        )


class Preparer:
    """Makes prepared calls of prompts for one model."""

    def __init__(
        self, api: Api, model: Model, inference: Inference, serialise: Serialiser, points: CachePoints | None = None
    ) -> None:
        self._api = api
        self._answer = api.answer(model)
        self._model = model
        self._inference = inference
        self._serialise = serialise
        self._points = points
        self._envelopes: dict[tuple[str, tuple[tuple[str, str], ...]], Envelope] = {}

    def with_max_tokens(self, max_tokens: int) -> Preparer:
        """The same, for answers of another length."""
        inference = self._inference.model_copy(update={"max_tokens": max_tokens})
        return Preparer(self._api, self._model, inference, self._serialise, self._points)

    def serialised(self, prompt: Prompt, stand_in: str | None = None, metadata: Mapping[str, str] | None = None) -> Serialised:
        """The unsigned request for a prompt, ``stand_in`` for its salt. Raises ``UnusableInput`` for what boto3 refuses."""
        asking = Asking(prompt.text, self._inference, self._points, prompt.shared, loggable(metadata))
        return self._api.serialise(self._serialise, self._model, asking if stand_in is None else _salted(asking, stand_in))

    def prepare(
        self, prompt: Prompt, with_salt: bool, request_line_of: Callable[[str], str], metadata: Mapping[str, str] | None = None
    ) -> PreparedCall:
        """Serialise and validate a prompt; ``request_line_of(url)`` is how it begins. Raises ``UnusableInput``."""
        serialised, halves = self._halves(prompt, with_salt, metadata)
        envelope = self._envelope(serialised, request_line_of)
        return PreparedCall(prompt, self._answer, envelope, halves[0], b"".join(halves[1:]), with_salt)

    def _envelope(self, serialised: Serialised, request_line_of: Callable[[str], str]) -> Envelope:
        """Prompts whose requests differ in nothing but the body share what is signed once."""
        key = (serialised.url, tuple(serialised.request["headers"].items()))
        if key not in self._envelopes:
            self._envelopes[key] = Envelope(serialised, request_line_of(serialised.url))
        return self._envelopes[key]

    def _halves(self, prompt: Prompt, with_salt: bool, metadata: Mapping[str, str] | None) -> tuple[Serialised, list[bytes]]:
        """The request, and its body cut where the salt goes."""
        if not with_salt:
            serialised = self.serialised(prompt, None, metadata)
            return serialised, [serialised.request["body"]]
        while True:
            stand_in = secrets.token_hex(SALT_LENGTH)[:SALT_LENGTH]
            serialised = self.serialised(prompt, stand_in, metadata)
            halves = serialised.request["body"].split(stand_in.encode("ascii"))
            if len(halves) == 2:
                return serialised, halves


def _salted(asking: Asking, salt: str) -> Asking:
    """The salt at the very start of what is cached: of the system prompt where that is to be cached, else of the text."""
    system = asking.inference.system
    if asking.points is not None and "system" in asking.points.points and system is not None:
        return replace(asking, inference=asking.inference.model_copy(update={"system": salted(system, salt)}))
    shared = None if asking.shared is None else asking.shared + len(salted("", salt))
    return replace(asking, text=salted(asking.text, salt), shared=shared)


_NOT_LOGGED = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.-]")
_MOST_LOGGED = 256


def loggable(metadata: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """``metadata`` with values that Bedrock takes: other characters become ``_``."""
    return metadata and {key: _NOT_LOGGED.sub("_", value)[:_MOST_LOGGED] for key, value in metadata.items()}
