"""boto3's part: sessions, endpoints, credentials, validation and serialising. Nothing is sent through it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSRequest, AWSResponse, create_request_object
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.signers import RequestSigner

from fmbench import __version__
from fmbench.bedrock.credentials import WHAT_PROVIDERS_RAISE, keep_fresh
from fmbench.config.schema import Timeouts
from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.neutral import discreet
from fmbench.patience import given

SERVICE = "bedrock-runtime"
LOCAL_REGION = "us-east-1"
_LOCAL_KEY = "fmbench-local"
_KEYED, _KEY = "bedrock", "AWS_BEARER_TOKEN_BEDROCK"


@dataclass(slots=True, frozen=True)
class Endpoint:
    """Where requests go: a local endpoint by its URL, with made-up credentials; None: AWS's own, as boto3 finds it."""

    url: str | None = None
    ca_bundle: str | None = None


AWS = Endpoint()


@cache
def _core() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def session() -> boto3.Session:
    """This process's session: the user's profile and variables. Raises ``UnusableInput`` for a profile that is not there."""
    try:
        return boto3.Session(botocore_session=_core())
    except BotoCoreError as error:
        raise UnusableInput(f"AWS configuration: {error}. Name a profile that exists in AWS_PROFILE, or unset it.") from error


def region_of(region: str | None, endpoint: Endpoint = AWS) -> str:
    """The region asked for, else AWS_REGION (which boto3 leaves out), else the session's. Raises ``UnusableInput``."""
    found = region or (LOCAL_REGION if endpoint.url else os.environ.get("AWS_REGION") or session().region_name)
    if not found:
        raise UnusableInput("region: none is set. Write region: us-east-1 (say) in the configuration, or set AWS_REGION.")
    return found


def own_region() -> str | None:
    """The region that AWS's variables or the profile say; None: neither does. Raises ``UnusableInput`` for a missing profile."""
    return os.environ.get("AWS_REGION") or session().region_name


def own_endpoint(region: str | None) -> str | None:
    """The URL that AWS's variables or the profile put in the place of Bedrock's own; None: they do not."""
    options = {"region_name": region or own_region() or LOCAL_REGION}
    without: Any = {"ignore_configured_endpoint_urls": True}
    url: str = client_of(options, Config()).meta.endpoint_url
    return None if url == client_of(options, Config(**without)).meta.endpoint_url else url


def build_client(region: str | None, endpoint: Endpoint, timeouts: Timeouts, pool_size: int) -> Any:
    """A Bedrock Runtime client with one attempt, explicit timeouts, and a pool as large as the users."""
    options: dict[str, Any] = {"region_name": region_of(region, endpoint), "verify": endpoint.ca_bundle}
    if endpoint.url:
        keys = {"aws_access_key_id": _LOCAL_KEY, "aws_secret_access_key": _LOCAL_KEY}
        return client_of(options | keys | {"endpoint_url": endpoint.url}, _config(timeouts, pool_size, "v4"))
    client = client_of(options, _config(timeouts, pool_size, None))
    keep_fresh(own_credentials())
    if client.meta.endpoint_url.startswith("http:"):
        # botocore sends a bearer key over TLS only, and refuses the call when the key is set.
        return client_of(options, _config(timeouts, pool_size, "v4"))
    return client


def client_of(options: dict[str, Any], config: Config) -> Any:
    """A client of this process's session. Raises ``UnusableInput`` for what botocore refuses, and ``Refused`` for credentials
    that a provider cannot give."""
    if "aws_access_key_id" not in options:
        own_credentials()
    try:
        create: Any = session().client
        return create(SERVICE, config=config, **options)
    except (BotoCoreError, ValueError) as error:
        raise UnusableInput(
            f"Bedrock client: {discreet(str(error))}. Check region, endpoint URL and AWS configuration."
        ) from error


def _config(timeouts: Timeouts, pool_size: int, signature_version: str | None) -> Config:
    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=timeouts.connect_s,
        read_timeout=timeouts.total_s,
        max_pool_connections=pool_size,
        tcp_keepalive=True,
        user_agent=f"fmbench-load/{__version__}",
        signature_version=signature_version,
    )


def own_credentials() -> Any:
    """What the providers give; None: there are none. Raises ``Refused`` where one of them cannot give what it is there for."""
    try:
        return _given()
    except WHAT_PROVIDERS_RAISE as error:
        raise Refused(f"AWS credentials cannot be used: {_why(error)}. {_CURE}") from error


_hung: list[TimeoutError] = []
"""That a provider gave nothing in time, which it is not asked for again."""


def _given() -> Any:
    if _hung:
        raise _hung[0]
    try:
        return given(session().get_credentials)
    except TimeoutError as error:
        _hung.append(error)
        raise


def has_bearer_key() -> bool:
    """Whether requests carry a Bedrock API key instead of a signature. An SSO session's token is no such key."""
    return bool(os.environ.get(_KEY))


def check_credentials(region: str | None) -> None:
    """Make sure that requests can be signed. Raises ``Refused`` without credentials, ``UnusableInput`` without a region."""
    region_of(region)
    try:
        if has_bearer_key():
            return
        credentials = own_credentials()
        if credentials is not None and given(credentials.get_frozen_credentials).access_key:
            return
    except WHAT_PROVIDERS_RAISE as error:
        raise Refused(f"AWS credentials cannot be used: {_why(error)}. {_CURE}") from error
    raise Refused(f"No AWS credentials were found. {_CURE}")


def check_certificates() -> None:
    """Raises ``UnusableInput`` where AWS's variables or the profile name a CA bundle that cannot be read."""
    bundle = session()._session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if bundle:
        trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), bundle)


def trust(context: ssl.SSLContext, bundle: str) -> None:
    """Have ``context`` trust the CAs of a file. Raises ``UnusableInput`` for one that cannot be read."""
    try:
        context.load_verify_locations(bundle)
    except OSError as error:
        why = "no certificate can be read from it" if isinstance(error, ssl.SSLError) else error.strerror
        cure = "Name a PEM file with the CA of your proxy in AWS_CA_BUNDLE, or unset it."
        raise UnusableInput(f"CA bundle {bundle}: {why}. {cure}") from error


def _why(error: Exception) -> str:
    """What a provider raised: botocore's own words, or the kind of error as well."""
    said = discreet(str(error)).rstrip(".")
    return said if isinstance(error, BotoCoreError) else f"{type(error).__name__}: {said}"


_CURE = (
    "Set AWS_PROFILE (after `aws sso login`, say), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; "
    "or add `simulator: {}` to the configuration to run without AWS."
)


@dataclass(slots=True, frozen=True)
class Serialised:
    """One request as boto3 would send it, but for its signature."""

    operation: str
    request: dict[str, Any]
    signer: RequestSigner

    @property
    def url(self) -> str:
        """Where it goes."""
        return str(self.request["url"])

    def signed(self, body: bytes, extra_headers: dict[str, str]) -> AWSRequest:
        """A signed request with this body; the signature covers the headers. Raises botocore's credential errors."""
        parts = copy(self.request)
        parts["body"] = body
        parts["headers"] = {**self.request["headers"], **extra_headers}
        parts["context"] = dict(self.request["context"])
        request: AWSRequest = create_request_object(parts)
        self.signer.sign(self.operation, request)
        return request


def service_url(client: Any, service: str, endpoint: Endpoint) -> str:
    """Where requests go: the client's own endpoint, or bedrock-mantle of its region. A local endpoint is both."""
    if service == "runtime" or endpoint.url:
        return str(client.meta.endpoint_url)
    configured = os.environ.get("AWS_ENDPOINT_URL_BEDROCK_MANTLE") or os.environ.get("AWS_ENDPOINT_URL")
    return (configured or f"https://bedrock-mantle.{client.meta.region_name}.api.aws").rstrip("/")


_ANY_CONVERSE = {"modelId": "any", "messages": [{"role": "user", "content": [{"text": "any"}]}]}


class Serialiser:
    """Turns arguments into requests through the client itself: endpoint rules, validation and handlers are its own."""

    def __init__(self, client: Any, url: str | None = None) -> None:
        self._client = client
        self._url: str = url or client.meta.endpoint_url
        self._caught: Serialised | None = None
        client.meta.events.register(f"before-call.{SERVICE}", self._catch)

    def __call__(self, operation: str, parameters: dict[str, Any]) -> Serialised:
        """The request for these arguments. Raises ``UnusableInput`` for what boto3 refuses."""
        call: Callable[..., Any] = getattr(self._client, botocore.xform_name(operation))
        try:
            call(**parameters)
        except (BotoCoreError, TypeError, ValueError) as error:
            raise UnusableInput(f"boto3 refuses the request ({operation}): {error}") from error
        assert self._caught is not None
        return self._caught

    def post(self, path: str, body: bytes, headers: dict[str, str], signing_name: str) -> Serialised:
        """A request that boto3 has no operation for, signed as boto3 signs its own: for ``signing_name``, or with a key."""
        like = self("Converse", _ANY_CONVERSE)
        # botocore gives a key to requests of this name only
        signing = {"signing_name": _KEYED if has_bearer_key() else signing_name, "region": self._client.meta.region_name}
        context = like.request["context"] | {"signing": signing}
        if self._url.startswith("http:"):
            context["auth_type"] = "v4"
        request = like.request | {"url": self._url.rstrip("/") + path, "url_path": path, "body": body, "context": context}
        return Serialised(like.operation, request | {"headers": like.request["headers"] | headers}, like.signer)

    def _catch(self, model: Any, params: dict[str, Any], request_signer: RequestSigner, **_: Any) -> tuple[AWSResponse, Any]:
        self._caught = Serialised(model.name, params, request_signer)
        return AWSResponse(params["url"], 200, HTTPHeaders(), None), {}
