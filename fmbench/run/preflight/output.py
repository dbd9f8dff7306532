"""Whether the run can be stored where it shall be."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.bedrock.account import Unanswered
from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.preflight import Found, Verdict
from fmbench.run.preflight.subject import Subject, not_told
from fmbench.storage.store import scheme_of, store_for

NAME = "output"


def look(subject: Subject) -> Iterator[Found]:
    """A probe is written and taken away; a bucket in another region costs time and transfer."""
    output, region = subject.config.output, subject.config.region
    try:
        store_for(output, region).check_writable()
    except (Refused, UnusableInput) as error:
        cure = "Choose another --output, or allow s3:PutObject and s3:DeleteObject there."
        yield Found(check=NAME, about=output, verdict=Verdict.FAILED, what=str(error), cure=cure)
        return
    yield Found(check=NAME, about=output, verdict=Verdict.OK, what="it can be written")
    if scheme_of(output) == "s3" and region is not None:
        yield from _bucket(subject, output.partition("://")[2].partition("/")[0], region)


def _bucket(subject: Subject, bucket: str, region: str) -> Iterator[Found]:
    try:
        there = subject.account(region).bucket_region(bucket)
    except Unanswered as error:
        yield not_told(NAME, bucket, error, "s3:ListBucket")
        return
    if there is not None and there != region:
        what = f"the bucket is in {there}, the run in {region}"
        yield Found(check=NAME, about=bucket, verdict=Verdict.WARNING, what=what, cure="Use a bucket of the run's region.")
