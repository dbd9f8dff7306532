"""What the control planes say of an account: who asks, which models, profiles and quotas there are. Free calls alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import wraps
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProxyConnectionError, SSLError
from botocore.parsers import ResponseParserError

from fmbench.bedrock.client import own_credentials, session
from fmbench.core.failures import Refused
from fmbench.core.neutral import discreet
from fmbench.patience import within

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
_NOT_THERE = frozenset({"ResourceNotFoundException", "ValidationException", "NoSuchResourceException"})
_NOT_ALLOWED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_CREDENTIALS = re.compile(
    r"credential|token|signature|accesskey|authentication|authfailure|unrecognizedclient|optin", re.IGNORECASE
)
"""Part of every code by which AWS refuses a signature, a key or a session."""
_LONGEST = 300
"""So much is kept of what something that is no AWS service answers: a page, say."""


class Why(StrEnum):
    """Why the account could not be asked."""

    NOT_THERE = "not_there"
    NOT_ALLOWED = "not_allowed"
    CREDENTIALS = "credentials"
    CLOCK = "clock"
    CERTIFICATE = "certificate"
    PROXY = "proxy"
    UNREACHABLE = "unreachable"
    UNABLE = "unable"
    """The service failed, is too busy, or does not know the question."""


@dataclass(slots=True)
class Unanswered(Exception):
    """A question that got no answer."""

    why: Why
    message: str
    clock_ahead_s: float | None = None
    """How far this machine's clock is ahead of the one who refused; None: no answer told."""


MOST_PAGES = 200
"""Of a list: profiles and quotas have a few."""
WITHIN_S = 60.0
"""How long one answer is waited for, with its further pages and tries, whatever drips."""
P = ParamSpec("P")
T = TypeVar("T")


def _read(method: Callable[P, T]) -> Callable[P, T]:
    """boto3 checks no field of an answer: what is no answer of AWS is ``Unanswered``, too."""

    @wraps(method)
    def reading(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return method(*arguments, **named)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, ResponseParserError) as error:
            raise Unanswered(Why.UNABLE, f"what answers there is not AWS ({type(error).__name__})") from error

    return reading


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs. ``clock_ahead_s``: how far this machine's clock is ahead of AWS's; None: not told."""

    account: str
    arn: str
    clock_ahead_s: float | None


@dataclass(slots=True)
class Account:
    """The account in one region. ``make`` makes a client of a service: boto3's, but in tests."""

    region: str
    make: Callable[[str, str], Any] = field(default=lambda service, region: _make(service, region))
    _clients: dict[str, Any] = field(default_factory=dict)
    _silent: dict[str, Unanswered] = field(default_factory=dict)
    """Services that could not be reached: they are not asked again."""

    @_read
    def identity(self) -> Identity:
        """Who signs requests. Raises ``Unanswered``, as all methods do."""
        answer = self._ask("sts", "get_caller_identity")
        return Identity(answer["Account"], answer["Arn"], _ahead(answer))

    def regions(self) -> list[str]:
        """Where boto3 knows Bedrock to be."""
        return bedrock_regions()

    @_read
    def model(self, model_id: str) -> dict[str, Any]:
        """``modelDetails`` of a foundation model."""
        details: dict[str, Any] = self._ask("bedrock", "get_foundation_model", modelIdentifier=model_id)["modelDetails"]
        return details

    @_read
    def availability(self, model_id: str) -> dict[str, Any]:
        """Whether the account may use a foundation model: agreement, authorization, entitlement, region."""
        return self._ask("bedrock", "get_foundation_model_availability", modelId=model_id)

    @_read
    def profile(self, profile_id: str) -> dict[str, Any]:
        """An inference profile: ``status``, ``models``, ``type``."""
        return self._ask("bedrock", "get_inference_profile", inferenceProfileIdentifier=profile_id)

    @_read
    def foundation_models(self) -> list[dict[str, Any]]:
        """``modelSummaries`` of every foundation model in the region."""
        models: list[dict[str, Any]] = self._ask("bedrock", "list_foundation_models")["modelSummaries"]
        return models

    @_read
    def inference_profiles(self) -> list[dict[str, Any]]:
        """Every inference profile, the system's and the account's own."""
        kinds = ("SYSTEM_DEFINED", "APPLICATION")
        return [profile for kind in kinds for profile in self._profiles(kind)]

    @_read
    def model_behind(self, arn: str) -> str | None:
        """The id of the foundation model that an ARN leads to; None: it is not told. A profile or provisioned model is asked."""
        if ":provisioned-model/" in arn:
            arns = [str(self.provisioned(arn).get("foundationModelArn", ""))]
        elif "inference-profile/" in arn:
            arns = [str(model.get("modelArn", "")) for model in self.profile(arn).get("models", [])]
        else:
            return None
        return next((each.rpartition("/")[2] for each in arns if "foundation-model/" in each), None)

    def profiles_of(self, model_id: str) -> list[str]:
        """The ids of the system's profiles over a model; none where they cannot be listed."""
        try:
            return self._profiles_over(model_id)
        except Unanswered:
            return []

    @_read
    def provisioned(self, arn: str) -> dict[str, Any]:
        """A provisioned model: ``status``, ``modelUnits``, ``commitmentDuration``."""
        return self._ask("bedrock", "get_provisioned_model_throughput", provisionedModelId=arn)

    @_read
    def quotas(self) -> list[tuple[str, float]]:
        """Bedrock's quotas as they apply here: name and value."""
        pages = self._pages("service-quotas", "list_service_quotas", ServiceCode="bedrock")
        return [(str(each["QuotaName"]), float(each["Value"])) for page in pages for each in page["Quotas"]]

    @_read
    def bucket_region(self, bucket: str) -> str | None:
        """The region that a bucket lies in; None: it does not say."""
        answer = self._ask("s3", "head_bucket", Bucket=bucket)
        found = answer.get("BucketRegion") or answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
        return None if found is None else str(found)

    @_read
    def _profiles_over(self, model_id: str) -> list[str]:
        return [
            str(profile.get("inferenceProfileId")) for profile in self._profiles("SYSTEM_DEFINED") if _over(profile, model_id)
        ]

    @_read
    def _profiles(self, kind: str) -> list[dict[str, Any]]:
        pages = self._pages("bedrock", "list_inference_profiles", typeEquals=kind)
        return [profile for page in pages for profile in page["inferenceProfileSummaries"]]

    def _ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._guarded(service, lambda client: getattr(client, operation)(**parameters))
        return answer

    def _pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        def asked(client: Any) -> list[dict[str, Any]]:
            return list(islice(client.get_paginator(operation).paginate(**parameters), MOST_PAGES))

        yield from self._guarded(service, asked)

    def _guarded(self, service: str, call: Callable[[Any], Any]) -> Any:
        if service in self._silent:
            raise self._silent[service]
        try:
            if service not in self._clients:
                self._clients[service] = self.make(service, self.region)
            return within(WITHIN_S, lambda: call(self._clients[service]), f"{service} gave no whole answer within {WITHIN_S:g} s")
        except (ClientError, BotoCoreError, TimeoutError) as error:
            unanswered = Unanswered(Why.UNREACHABLE, str(error)) if isinstance(error, TimeoutError) else _unanswered(error)
            if unanswered.why not in (Why.NOT_THERE, Why.NOT_ALLOWED, Why.UNABLE):
                self._silent[service] = unanswered
            raise unanswered from error


def bedrock_regions() -> list[str]:
    """Where boto3 knows Bedrock to be, in every partition. Nothing is asked."""
    ours = session()
    return [region for name in ours.get_available_partitions() for region in ours.get_available_regions("bedrock", name)]


def _make(service: str, region: str) -> Any:
    try:
        own_credentials()
    except Refused as error:
        raise Unanswered(Why.CREDENTIALS, str(error)) from error
    create: Any = session().client
    return create(service, region_name=region, config=_CONFIG)


def _unanswered(error: ClientError | BotoCoreError) -> Unanswered:
    if isinstance(error, SSLError):
        return Unanswered(Why.CERTIFICATE, str(error))
    if isinstance(error, ProxyConnectionError):
        return Unanswered(Why.PROXY, str(error))
    ahead = _ahead(dict(error.response)) if isinstance(error, ClientError) else None
    if not isinstance(error, ClientError):
        reason = Why.CREDENTIALS if "redential" in type(error).__name__ or "Token" in type(error).__name__ else Why.UNREACHABLE
        return Unanswered(reason, discreet(str(error)))
    code = error.response.get("Error", {}).get("Code", "")
    if code in _CLOCK or "Signature expired" in str(error) or "Signature not yet current" in str(error):
        return Unanswered(Why.CLOCK, str(error), ahead)
    if code in _NOT_THERE or code == "404":
        return Unanswered(Why.NOT_THERE, str(error), ahead)
    return Unanswered(_reason(code), " ".join(str(error).split())[:_LONGEST], ahead)


def _reason(code: str) -> Why:
    if code in _NOT_ALLOWED or code == "403":
        return Why.NOT_ALLOWED
    return Why.CREDENTIALS if _CREDENTIALS.search(code) else Why.UNABLE


def _over(profile: dict[str, Any], model_id: str) -> bool:
    return any(str(model.get("modelArn", "")).endswith(f"/{model_id}") for model in profile.get("models", []))


def _ahead(answer: dict[str, Any]) -> float | None:
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return None if told is None else time.time() - parsedate_to_datetime(told).timestamp()
    except (TypeError, ValueError):
        return None
