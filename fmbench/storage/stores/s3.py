"""A prefix on S3 as a store. Every object is sent with its SHA-256 and held against what S3 says it has, after the upload.

Addresses, credentials and endpoints are boto3's (``AWS_PROFILE``, ``AWS_ENDPOINT_URL_S3``, …).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.names import is_inside
from fmbench.core.neutral import PROVIDER_ERRORS, neutral
from fmbench.patience import STILL_S, Moving, given, while_it_moves
from fmbench.storage.listing import listed_keys
from fmbench.storage.s3_refusals import one_line as _one_line
from fmbench.storage.s3_refusals import status_of as _status
from fmbench.storage.s3_refusals import translated

T = TypeVar("T")

PART_BYTES = 16 * 1024 * 1024
"""Files above that go up in parts of that size."""
PIECE_BYTES = 64 * 1024
"""What is read at a time: a server that drips is found out between two of them."""
READ_ATTEMPTS = 3
"""How often an object is asked for whose answer breaks off."""
IN_THIS_THREAD = TransferConfig(
    multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False, preferred_transfer_client="classic"
)
"""boto3's own threads would be waited for at the end of the program, however long they take."""
MOST_IN_MEMORY = 4 << 30
"""Bytes of an object that is read at once: a part of a journal, a manifest, a summary."""
CONFLICT_RETRIES = 5
"""S3 answers 409 while another conditional write of the same name is under way; a 412 without cause is asked again, too."""


_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_ACCESS_POINT = re.compile(r"arn:aws[a-z-]*:s3[a-z-]*:[a-z0-9-]*:\d{12}:(?:outpost[:/][\w-]+[:/])?accesspoint[:/][A-Za-z0-9.-]+")


def bucket_and_prefix(address: str) -> tuple[str, str]:
    """The bucket, or the ARN or alias of an access point, and the prefix, letter by letter as they stand in ``address``.

    Raises ``UnusableInput`` for what would be written elsewhere than it says.
    """
    rest = address.removeprefix("s3://")
    arn = _ACCESS_POINT.match(rest)
    bucket = arn[0] if arn else rest.partition("/")[0]
    prefix = rest[len(bucket) :].removeprefix("/").removesuffix("/")
    if rest == address or not (arn or _BUCKET.fullmatch(bucket)) or rest[len(bucket) :][:1] not in ("", "/"):
        where = "a bucket's name or alias, or an access point's ARN, then /"
        raise UnusableInput(f"{neutral(address, 200)}: is no S3 address; write it as s3://bucket/prefix ({where}).")
    if prefix and not is_inside(prefix):
        cure = "leave out empty steps, '.', '..', backslashes and what is not printable"
        raise UnusableInput(f"{neutral(address, 200)}: is a prefix that nothing can be stored under as it is written; {cure}.")
    return bucket, prefix


class S3Store:
    """Objects below ``s3://bucket/prefix``."""

    def __init__(self, address: str, region: str | None = None) -> None:
        self.bucket, self.prefix = bucket_and_prefix(address)
        self.client = _client(region)

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put_file(self, name: str, path: Path) -> None:
        if path.stat().st_size <= PART_BYTES:
            self.put_bytes(name, path.read_bytes())
        else:
            self._ask(name, lambda moving: self._put_parts(name, path, moving))

    def put_bytes(self, name: str, data: bytes, if_absent: bool = False) -> None:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        request = {"Bucket": self.bucket, "Key": self._key(name), "Body": data, "ChecksumSHA256": digest, **condition}

        def put(moving: Moving) -> None:
            try:
                self._put(request)
            except ClientError as error:
                if _status(error) != 412 or self._read(name, moving) != data:
                    raise
            self._verify(name, len(data), digest, data, moving)

        self._ask(name, put)

    def get_bytes(self, name: str) -> bytes:
        return self._ask(name, lambda moving: self._read(name, moving))

    def get_file(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._ask(name, lambda moving: self._download(name, path, moving))

    def delete(self, name: str) -> None:
        self._ask(name, lambda _: self.client.delete_object(Bucket=self.bucket, Key=self._key(name)))

    def list(self, prefix: str = "") -> list[str]:
        above = f"{self.prefix}/" if self.prefix else ""

        def listed(moving: Moving) -> list[str]:
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=above + prefix)
            return listed_keys(pages, self.address, moving)

        names = {key.removeprefix(above) for key in self._ask(prefix, listed) if key.startswith(above)}
        return sorted(filter(is_inside, names))

    def check_writable(self) -> None:
        name = ".fmbench-write-check"
        self.put_bytes(name, b"")
        self.delete(name)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _put(self, request: dict[str, Any]) -> None:
        for attempt in range(CONFLICT_RETRIES):
            try:
                self.client.put_object(**request)
                return
            except ClientError as error:
                again = _status(error) == 409 or (_status(error) == 412 and not self._stands_in_the_way(request))
                if not again or attempt == CONFLICT_RETRIES - 1:
                    raise
                time.sleep(0.1 * 2**attempt)

    def _stands_in_the_way(self, request: dict[str, Any]) -> bool:
        """Whether a write was made on the condition that there is no such object, and there is one."""
        if "IfNoneMatch" not in request:
            return False
        try:
            self.client.head_object(Bucket=self.bucket, Key=request["Key"])
        except ClientError as error:
            return _status(error) != 404
        return True

    def _put_parts(self, name: str, path: Path, moving: Moving) -> None:
        arguments = {"ChecksumAlgorithm": "SHA256"}
        self.client.upload_file(str(path), self.bucket, self._key(name), arguments, moving, IN_THIS_THREAD)
        self._verify(name, path.stat().st_size, _sha256_of_parts(path), path, moving)

    def _download(self, name: str, path: Path, moving: Moving) -> None:
        size = int(self.client.head_object(Bucket=self.bucket, Key=self._key(name))["ContentLength"])
        if size > (free := shutil.disk_usage(path.parent).free):
            raise Refused(f"{self.address}/{name}: has {size:,} bytes, and {path.parent} has room for {free:,}.")
        come = 0

        def count(some: int) -> None:
            nonlocal come
            come += some
            moving(some)
            if come > size:
                raise Refused(f"{self.address}/{name}: is longer than the {size:,} bytes that S3 said; ask again.")

        self.client.download_file(self.bucket, self._key(name), str(path), Callback=count, Config=IN_THIS_THREAD)
        if path.stat().st_size != size:
            raise Refused(f"{self.address}/{name}: has not the {size:,} bytes that S3 said; ask again.")

    def _read(self, name: str, moving: Moving) -> bytes:
        """The whole object; an answer that broke off is asked for again."""
        for attempt in range(1, READ_ATTEMPTS + 1):
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"]
            try:
                return self._whole(name, body, moving)
            except BotoCoreError:
                if attempt == READ_ATTEMPTS:
                    raise
        raise AssertionError

    def _whole(self, name: str, body: StreamingBody, moving: Moving) -> bytes:
        pieces, left = [], MOST_IN_MEMORY
        for piece in body.iter_chunks(PIECE_BYTES):
            moving(len(piece))
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                body.close()
                raise Refused(f"{self.address}/{name}: is more than {MOST_IN_MEMORY:,} bytes; it is not read.")
        return b"".join(pieces)

    def _verify(self, name: str, size: int, digest: str, source: bytes | Path, moving: Moving) -> None:
        head = self.client.head_object(Bucket=self.bucket, Key=self._key(name), ChecksumMode="ENABLED")
        same = head["ContentLength"] == size
        if same and head.get("ChecksumSHA256") != digest:  # servers that keep no such checksum, or another kind of it
            same = self._stored_sha256(name, moving) == _sha256(source)
        if not same:
            raise Refused(f"{self.address}/{name}: what S3 has is not what was sent; try again.")

    def _stored_sha256(self, name: str, moving: Moving) -> bytes:
        digest = hashlib.sha256()
        for piece in self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"].iter_chunks(PIECE_BYTES):
            moving(len(piece))
            digest.update(piece)
        return digest.digest()

    def _ask(self, name: str, act: Callable[[Moving], T]) -> T:
        """What ``act`` gives, within bounds. Raises what a store may raise."""
        what = f"{self.address}/{name}: S3 gave no whole answer within {STILL_S:g} s"
        with self._asking(name):
            return while_it_moves(act, f"{what}; try again, and check AWS_ENDPOINT_URL_S3.")

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        """Turns boto3's errors into those that a store may raise."""
        try:
            yield
        except ClientError as error:
            raise translated(error, f"{self.address}/{name}") from error
        except (BotoCoreError, Boto3Error) as error:
            if isinstance(error.__context__, ClientError):  # what boto3 makes of a refused part
                raise translated(error.__context__, f"{self.address}/{name}") from error
            cure = "check AWS credentials, AWS_REGION and AWS_ENDPOINT_URL_S3"
            raise Refused(f"{self.address}: S3 cannot be used ({_one_line(error)}); {cure}.") from error
        except TimeoutError as error:
            raise Refused(str(error)) from error
        except (KeyError, ValueError, TypeError, RecursionError) as error:  # boto3 checks no number, date or field of an answer
            what = f"{type(error).__name__}: {neutral(_one_line(error), 100)}"
            raise Refused(f"{self.address}: what answers there is no S3 ({what}); check AWS_ENDPOINT_URL_S3.") from error


def open_store(address: str, region: str | None) -> S3Store:
    """The prefix at ``address``, through a client of ``region``. Raises ``UnusableInput`` when it names no bucket."""
    return S3Store(address, region)


def _client(region: str | None) -> Any:
    elsewhere = "AWS_ENDPOINT_URL_S3" in os.environ or "AWS_ENDPOINT_URL" in os.environ
    settings = ClientConfig(
        retries={"mode": "standard", "total_max_attempts": 6},
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path"} if elsewhere else {},
    )
    session = boto3.Session()
    try:
        given(session.get_credentials)
    except (BotoCoreError, *PROVIDER_ERRORS) as error:
        raise Refused(f"S3 cannot be used: no AWS credentials ({type(error).__name__}: {_one_line(error)}).") from error
    return session.client("s3", region_name=session.region_name or region or "us-east-1", config=settings)


def _sha256_of_parts(path: Path) -> str:
    """S3's composite checksum: the digest of the parts' digests, and their number."""
    digests = []
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            digests.append(hashlib.sha256(part).digest())
    return f"{base64.b64encode(hashlib.sha256(b''.join(digests)).digest()).decode()}-{len(digests)}"


def _sha256(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
