"""One prompt's request: serialised once, and given its salt, its signature and its bytes for each time it is sent."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from fmbench.bedrock.apis import Api
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.config.schema import Inference, Model
from fmbench.core.records import Prompt
from fmbench.prompts.payload import SALT_LENGTH, salted


@dataclass(slots=True, frozen=True)
class PreparedCall:
    """A prompt, validated and serialised. The salt goes between the two halves of the body."""

    prompt: Prompt
    api: Api
    serialised: Serialised
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

    def wire_bytes(self, body: bytes, target: str) -> bytes:
        """The whole HTTP request with this body, signed now. Raises botocore's credential errors."""
        extra = {
            "Host": urlsplit(self.serialised.url).netloc,
            "amz-sdk-invocation-id": str(uuid4()),
            "amz-sdk-request": "attempt=1; max=1",
        }
        request = self.serialised.signed(body, extra)
        lines = [f"POST {target} HTTP/1.1", "Accept-Encoding: identity"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1") + body


def prepare(serialise: Serialiser, api: Api, model: Model, inference: Inference, prompt: Prompt, with_salt: bool) -> PreparedCall:
    """Serialise and validate a prompt. Raises ``UnusableInput`` for what boto3 refuses."""
    if not with_salt:
        serialised = serialise(api.operation, api.parameters(model, prompt.text, inference))
        return PreparedCall(prompt, api, serialised, serialised.request["body"], b"", False)
    while True:
        stand_in = secrets.token_hex(SALT_LENGTH)[:SALT_LENGTH]
        serialised = serialise(api.operation, api.parameters(model, salted(prompt.text, stand_in), inference))
        halves = serialised.request["body"].split(stand_in.encode("ascii"))
        if len(halves) == 2:
            return PreparedCall(prompt, api, serialised, halves[0], halves[1], True)
