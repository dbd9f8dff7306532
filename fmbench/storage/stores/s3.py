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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.names import is_inside
from fmbench.core.neutral import PROVIDER_ERRORS, discreet, neutral
from fmbench.patience import given
from fmbench.storage.listing import listed_keys

PART_BYTES = 16 * 1024 * 1024
"""Files above that go up in parts of that size."""
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
            return
        transfer = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
        with self._asking(name):
            self.client.upload_file(str(path), self.bucket, self._key(name), {"ChecksumAlgorithm": "SHA256"}, Config=transfer)
            self._verify(name, path.stat().st_size, _sha256_of_parts(path), path)

    def put_bytes(self, name: str, data: bytes, if_absent: bool = False) -> None:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        request = {"Bucket": self.bucket, "Key": self._key(name), "Body": data, "ChecksumSHA256": digest, **condition}
        with self._asking(name):
            try:
                self._put(request)
            except ClientError as error:
                if _status(error) != 412 or self.get_bytes(name) != data:
                    raise
            self._verify(name, len(data), digest, data)

    def get_bytes(self, name: str) -> bytes:
        with self._asking(name):
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"]
            pieces, left = [], MOST_IN_MEMORY
            for piece in body.iter_chunks(PART_BYTES):
                pieces.append(piece)
                left -= len(piece)
                if left < 0:
                    body.close()
                    raise Refused(f"{self.address}/{name}: is more than {MOST_IN_MEMORY:,} bytes; it is not read.")
            return b"".join(pieces)

    def get_file(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._asking(name):
            size = int(self.client.head_object(Bucket=self.bucket, Key=self._key(name))["ContentLength"])
            if size > (free := shutil.disk_usage(path.parent).free):
                raise Refused(f"{self.address}/{name}: has {size:,} bytes, and {path.parent} has room for {free:,}.")
            come = Lock(), [0]

            def count(some: int) -> None:
                with come[0]:
                    come[1][0] += some
                if come[1][0] > size:
                    raise Refused(f"{self.address}/{name}: is longer than the {size:,} bytes that S3 said; ask again.")

            self.client.download_file(self.bucket, self._key(name), str(path), Callback=count)
            if path.stat().st_size != size:
                raise Refused(f"{self.address}/{name}: has not the {size:,} bytes that S3 said; ask again.")

    def delete(self, name: str) -> None:
        with self._asking(name):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def list(self, prefix: str = "") -> list[str]:
        above = f"{self.prefix}/" if self.prefix else ""
        with self._asking(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=above + prefix)
            keys = listed_keys(pages, self.address)
        return sorted(name for name in (key.removeprefix(above) for key in keys if key.startswith(above)) if is_inside(name))

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

    def _verify(self, name: str, size: int, digest: str, source: bytes | Path) -> None:
        head = self.client.head_object(Bucket=self.bucket, Key=self._key(name), ChecksumMode="ENABLED")
        same = head["ContentLength"] == size
        if same and head.get("ChecksumSHA256") != digest:  # servers that keep no such checksum, or another kind of it
            same = self._stored_sha256(name) == _sha256(source)
        if not same:
            raise Refused(f"{self.address}/{name}: what S3 has is not what was sent; try again.")

    def _stored_sha256(self, name: str) -> bytes:
        digest = hashlib.sha256()
        for piece in self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"].iter_chunks(PART_BYTES):
            digest.update(piece)
        return digest.digest()

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        """Turns boto3's errors into those that a store may raise."""
        try:
            yield
        except ClientError as error:
            raise _translated(error, f"{self.address}/{name}") from error
        except (BotoCoreError, Boto3Error) as error:
            cure = "check AWS credentials, AWS_REGION and AWS_ENDPOINT_URL_S3"
            raise Refused(f"{self.address}: S3 cannot be used ({_one_line(error)}); {cure}.") from error
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


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _translated(error: ClientError, address: str) -> Exception:
    code, status = error.response.get("Error", {}).get("Code", "?"), _status(error)
    if code == "NoSuchBucket":
        return Refused(f"{address}: there is no such bucket; make it, or give another s3:// address.")
    if status == 404:
        return FileNotFoundError(f"{address}: there is no such object")
    if status == 412:
        return FileExistsError(f"{address}: exists already")
    return Refused(f"{address}: S3 refused ({code}, HTTP {status}); {_cure(error, status)}.")


def _cure(error: ClientError, status: int) -> str:
    if status == 301:
        region = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region", "another region")
        return f"the bucket is in {_one_line(region)}: name its region in AWS_REGION"
    return "the credentials need s3:PutObject, s3:GetObject and s3:ListBucket there" if status in (401, 403) else "try again"


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


def _one_line(said: object) -> str:
    return " ".join(discreet(str(said)).split())
