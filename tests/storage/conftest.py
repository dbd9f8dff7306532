"""The S3 servers that the store is tried against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.emulators import make_bucket, ministack, moto


@pytest.fixture(scope="session")
def ministack_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MiniStack with a bucket ``bucket``."""
    with ministack(tmp_path_factory.mktemp("ministack")) as url:
        make_bucket(url, "bucket")
        yield url


@pytest.fixture(scope="session")
def moto_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of moto's server with a bucket ``bucket``."""
    with moto(tmp_path_factory.mktemp("moto")) as url:
        make_bucket(url, "bucket")
        yield url


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.aws_emulator) for name in ("ministack_s3", "moto_s3")])
def s3_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an S3 server; boto3 looks there."""
    url: str = request.getfixturevalue(request.param)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    return url
