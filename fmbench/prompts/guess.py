"""A plan's prompts where the data cannot be fetched: as many as asked, each as long as the middle of its bucket."""

from __future__ import annotations

from fmbench.config.schema import Config
from fmbench.prompts.buckets import buckets_of
from fmbench.prompts.payload import file_name
from fmbench.prompts.prepare import BucketInfo, PreparedPrompts


def guessed(config: Config, why: str) -> PreparedPrompts:
    """Buckets to plan with, none of which has a file. ``why``: what stands in the way of the data."""
    buckets = {
        bucket.name: BucketInfo(
            name=bucket.name,
            file=file_name(bucket.name),
            count=config.dataset.prompts_per_bucket,
            sha256="",
            tokens_min=bucket.low,
            tokens_mean=(bucket.low + bucket.high) / 2,
            tokens_max=bucket.high - 1,
        )
        for bucket in buckets_of(config.dataset)
    }
    warning = f"the plan takes prompts from the middle of their buckets, since the data could not be fetched: {why}"
    return PreparedPrompts(buckets=buckets, datasets=[], tokenizer={}, warnings=[warning])
