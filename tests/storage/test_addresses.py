"""What an address says is where it is written, letter by letter, or it is refused with a cure."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from fmbench.core.failures import UnusableInput
from fmbench.storage.store import store_for
from fmbench.storage.stores.s3 import S3Store, bucket_and_prefix

AP = "arn:aws:s3:us-west-2:123456789012:accesspoint/my-ap"
MRAP = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"
OUTPOST = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/my-ap"
ALIAS = "my-ap-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("s3://b1x", "b1x", ""),
        ("s3://b1x/", "b1x", ""),
        ("s3://b1x/runs#1/x", "b1x", "runs#1/x"),
        ("s3://b1x/a?b=c", "b1x", "a?b=c"),
        ("s3://b1x/a%20b/ü;x", "b1x", "a%20b/ü;x"),
        ("s3://b1x/runs/", "b1x", "runs"),
        (f"s3://{ALIAS}/runs", ALIAS, "runs"),
        (f"s3://{AP}/runs/x", AP, "runs/x"),
        (f"s3://{AP}", AP, ""),
        (f"s3://{MRAP}/runs", MRAP, "runs"),
        (f"s3://{OUTPOST}/runs", OUTPOST, "runs"),
    ],
)
def test_bucket_and_prefix_are_as_written(address: str, bucket: str, prefix: str) -> None:
    assert bucket_and_prefix(address) == (bucket, prefix)
    assert store_for(address, "us-east-1").address == f"s3://{bucket}/{prefix}".rstrip("/")


@pytest.mark.parametrize(
    "address",
    ["s3://", "s3:///x", "s3://b?x/y", "s3://user:pw@b/x", "s3://b1x//y", "s3://b1x/../y", "s3://b1x/a//b", "s3://b1x/a\x00", "s3://bücket/x",
     "s3://b1x/./a", "s3://arn:aws:s3:us-west-2:1:accesspoint/x", f"s3://{AP}:x/y", "s3://b1x:80/x", "", "a\x00b", "a\x1b[2J"],
    ids=ascii,
)  # fmt: skip
def test_what_would_be_written_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(UnusableInput) as refusal:
        store_for(address, "us-east-1")
    assert str(refusal.value).isprintable()


def test_a_key_goes_out_as_the_address_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's own request: the path that S3 sees is the key, percent-encoded."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    seen: list[str] = []

    def catch(request: Any, **_: Any) -> AWSResponse:
        seen.append(request.url)
        answer = AWSResponse(request.url, 200, HTTPHeaders(), None)  # type: ignore[arg-type]
        answer._content = b""  # type: ignore[attr-defined]
        return answer

    for address in ("s3://b1x/runs#1/a?b=c", f"s3://{AP}/runs#1"):
        store = S3Store(address, "us-west-2")
        store.client.meta.events.register("before-send.s3.DeleteObject", catch)
        store.delete("x")
    assert seen[0].split("/", 3)[3] == "runs%231/a%3Fb%3Dc/x"
    assert seen[1] == "https://my-ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com/runs%231/x"
