"""The plain loop: boto3's ``converse_stream`` under gevent, one greenlet a stream, stamps taken in the loop."""

from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402
import time  # noqa: E402

import boto3  # noqa: E402
import gevent  # noqa: E402
from botocore.config import Config  # noqa: E402

from benchmarks.accuracy.work import MODEL, REGION, Done, Row, Work  # noqa: E402
from fmbench.prompts.payload import salt_of, salted  # noqa: E402


def main() -> None:
    """Do the work and print it."""
    work = Work.from_arguments()
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=work.streams, signature_version="v4")
    client = boto3.client("bedrock-runtime", REGION, endpoint_url=work.url, verify=work.ca_bundle, config=config)
    rows: list[Row] = []

    def ask(salt: str, first: bool) -> Row:
        message = {"role": "user", "content": [{"text": salted(work.text, salt)}]}
        stamps: list[int] = []
        sent = time.monotonic_ns()
        answer = client.converse_stream(modelId=MODEL, messages=[message], inferenceConfig={"maxTokens": work.tokens})
        for event in answer["stream"]:
            if "contentBlockDelta" in event:
                stamps.append(time.monotonic_ns())
        return Row(answer["ResponseMetadata"]["RequestId"], sent, stamps[0], stamps[-1], len(stamps), first)

    def stream(number: int) -> None:
        gevent.sleep(work.start_s(number))
        for k in range(1 + work.requests):
            rows.append(ask(salt_of(number, k), k == 0))

    gc.collect()
    gc.freeze()
    began = time.process_time_ns()
    gevent.joinall([gevent.spawn(stream, number) for number in range(work.streams)], raise_error=True)
    Done(time.process_time_ns() - began, rows).print()


if __name__ == "__main__":
    main()
