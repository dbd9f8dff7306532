"""A plain boto3 ``converse_stream`` loop under gevent: what somebody would write in ten lines. Prints one JSON object."""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import boto3  # noqa: E402
import gevent  # noqa: E402
from botocore.config import Config  # noqa: E402


def main(url: str, users: int, seconds: float) -> None:
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=users)
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url, config=config, **keys)
    messages = [{"role": "user", "content": [{"text": "word " * 250}]}]
    done, end = [], time.monotonic() + 1 + seconds

    def user() -> None:
        while time.monotonic() < end:
            answer = client.converse_stream(modelId="null-model", messages=messages, inferenceConfig={"maxTokens": 8})
            for _ in answer["stream"]:
                pass
            done.append(time.monotonic())

    greenlets = [gevent.spawn(user) for _ in range(users)]
    gevent.sleep(1)
    cpu, begun = time.process_time(), len(done)
    gevent.sleep(seconds)
    cpu, requests = time.process_time() - cpu, len(done) - begun
    gevent.joinall(greenlets)
    print(json.dumps({"requests_per_s": requests / seconds, "cpu_ms": 1000 * cpu / requests}))


main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
