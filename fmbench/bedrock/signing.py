"""Requests signed by botocore, and what is the same for every request to a model signed once.

The first request to a model is signed by botocore's own signer. When that was Signature Version 4, its canonical request
(botocore's own, too) is kept with holes for the invocation id, the time and the body's digest, and is proven by getting
botocore's signature out of it again. Later requests fill the holes: some 20 µs in place of 150. Any other signer (a bearer
key, say), and credentials that have changed, go the long way. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from fmbench.bedrock.client import Serialised

_ALGORITHM = "AWS4-HMAC-SHA256"
_INVOCATION = "amz-sdk-invocation-id"


@dataclass(slots=True, frozen=True)
class _Template:
    """A signed request with holes, for one set of credentials."""

    credentials: ReadOnlyCredentials
    canonical: tuple[str, str, str]
    """Before the invocation id, before the time, before the body's digest."""
    scope: str
    """region/service/aws4_request."""
    signed_headers: str
    fixed_head: str

    def head(self, body: bytes, invocation: str, now: str) -> str:
        """The request's head, signed for ``now`` (``YYYYMMDDTHHMMSSZ``)."""
        signature = self.signature(sha256(body).hexdigest(), invocation, now)
        return (
            f"{self.fixed_head}{_INVOCATION}: {invocation}\r\nX-Amz-Date: {now}\r\n"
            f"Authorization: {_ALGORITHM} Credential={self.credentials.access_key}/{now[:8]}/{self.scope}, "
            f"SignedHeaders={self.signed_headers}, Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )

    def signature(self, body_digest: str, invocation: str, now: str) -> str:
        """The signature, hex."""
        first, second, third = self.canonical
        canonical = f"{first}{invocation}{second}{now}{third}{body_digest}"
        to_sign = f"{_ALGORITHM}\n{now}\n{now[:8]}/{self.scope}\n{sha256(canonical.encode()).hexdigest()}"
        return digest(_signing_key(str(self.credentials.secret_key), now[:8], self.scope), to_sign.encode(), "sha256").hex()


_keys: dict[tuple[str, str, str], bytes] = {}


def _signing_key(secret: str, date: str, scope: str) -> bytes:
    """The day's key, made once a day."""
    key = _keys.get((secret, date, scope))
    if key is None:
        key = f"AWS4{secret}".encode()
        for part in (date, *scope.split("/")):
            key = digest(key, part.encode(), "sha256")
        _keys.clear()
        _keys[secret, date, scope] = key
    return key


_numbers = count()
_process = ""
"""What the ids of this process's requests begin with; the rest is a number."""


def _name_process() -> None:
    global _process
    _process = str(uuid4())[:24]


_name_process()
os.register_at_fork(after_in_child=_name_process)


@lru_cache(maxsize=1)
def _written(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


class Envelope:
    """Puts bodies into signed requests to one URL with one set of headers."""

    def __init__(self, serialised: Serialised, request_line: str) -> None:
        self._serialised = serialised
        self._request_line = f"{request_line}Accept-Encoding: identity\r\n"
        self._template: _Template | None = None

    def seal(self, body: bytes) -> bytes:
        """The whole HTTP request, signed now. Raises botocore's credential errors."""
        invocation = f"{_process}{next(_numbers):012x}"
        template = self._template
        if template is not None and template.credentials == self._credentials():
            head = template.head(body, invocation, _written(int(time.time())))
        else:
            head = self._signed_by_botocore(body, invocation)
        return head.encode("latin-1") + body

    def _credentials(self) -> Any:
        """What botocore would sign with now; None: there are none."""
        signer: Any = self._serialised.signer
        return None if signer._credentials is None else signer._credentials.get_frozen_credentials()

    def _signed_by_botocore(self, body: bytes, invocation: str) -> str:
        host = urlsplit(self._serialised.url).netloc
        request = self._serialised.signed(body, {"Host": host, _INVOCATION: invocation, "amz-sdk-request": "attempt=1; max=1"})
        self._template = self._template_of(request, body, invocation)
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return f"{self._request_line}{lines}Content-Length: {len(body)}\r\n\r\n"

    def _template_of(self, request: AWSRequest, body: bytes, invocation: str) -> _Template | None:
        """The template that a signed request leads to; None when it does not lead back to its signature."""
        authorization = str(request.headers["Authorization"])
        now = request.context.get("timestamp")
        if not authorization.startswith(_ALGORITHM) or now is None:
            return None
        credential, signed_headers, signature = (part.partition("=")[2] for part in authorization.split(", "))
        scope = credential.split("/", 2)[2]
        credentials = self._credentials()
        canonical = _with_holes(_canonical(request, credentials, scope), invocation, now)
        if canonical is None:
            return None
        varying = {_INVOCATION, "x-amz-date", "authorization"}
        fixed = [f"{name}: {value}\r\n" for name, value in request.headers.items() if name.lower() not in varying]
        template = _Template(credentials, canonical, scope, signed_headers, self._request_line + "".join(fixed))
        proven = template.signature(sha256(body).hexdigest(), invocation, now) == signature
        return template if proven else None


def _canonical(request: AWSRequest, credentials: ReadOnlyCredentials, scope: str) -> str:
    """botocore's canonical form of a request that it has signed."""
    region, service, _ = scope.split("/")
    bare = AWSRequest(request.method, request.url, dict(request.headers.items()), request.body)
    bare.context = request.context
    del bare.headers["Authorization"]
    canonical: str = SigV4Auth(credentials, service, region).canonical_request(bare)
    return canonical


def _with_holes(canonical: str, invocation: str, now: str) -> tuple[str, str, str] | None:
    """The parts before invocation id, time and body digest; None when they do not stand there once, in this order."""
    parts = canonical.split(invocation)
    if len(parts) != 2 or parts[1].count(now) != 1:
        return None
    middle, _, rest = parts[1].partition(now)
    head, separator, _ = rest.rpartition("\n")
    return parts[0], middle, head + separator
