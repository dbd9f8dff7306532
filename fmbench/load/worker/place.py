"""Where a load process runs: how far the endpoint is, and in which AWS region the machine stands.

Asked once, when the process is greeted and no request is on its way.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import time
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import gevent

from fmbench.load.deadlines import CONNECT_ROUND_TRIP_S, REGION_S

CONNECTS = 3
AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
EC2_METADATA = "http://169.254.169.254"
REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+")


def place_of(url: str | None) -> tuple[float | None, str | None]:
    """``(endpoint_round_trip_s, region)`` of this process for the endpoint at ``url``, within 1.5 s. None is what is not known.

    An endpoint on this machine is not asked, and the region only matters when the endpoint is AWS's own.
    """
    host = urlsplit(url or "").hostname or ""
    near = not host or _is_loopback(host)
    round_trip = None if url is None or near else round_trip_s(url)
    return round_trip, region() if host.endswith(AWS_DOMAINS) else None


def round_trip_s(url: str) -> float | None:
    """The shortest of three TCP connects to the endpoint, name look-up left out; None when none was made within a second."""
    trips: list[float] = []
    gevent.with_timeout(CONNECT_ROUND_TRIP_S, _connect_again_and_again, url, trips, timeout_value=None)
    return min(trips, default=None)


def region() -> str | None:
    """The region of this ECS task or EC2 instance, or None when the machine does not say so within half a second."""
    found: str | None = gevent.with_timeout(REGION_S, _region, timeout_value=None)
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _connect_again_and_again(url: str, trips: list[float]) -> None:
    parts = urlsplit(url)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)[0]
        for _ in range(CONNECTS):
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(CONNECT_ROUND_TRIP_S / CONNECTS)
                began = time.monotonic()
                connection.connect(address)
                trips.append(time.monotonic() - began)
    except OSError:
        return


def _region() -> str | None:
    task = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    try:
        said = _zone_of_task(task) if task else _region_of_instance()
    except (OSError, http.client.HTTPException, ValueError):
        return None
    found = REGION.match(said)
    return found[0] if found else None


def _zone_of_task(address: str) -> str:
    return str(json.loads(_ask(f"{address}/task")).get("AvailabilityZone") or "")


def _region_of_instance() -> str:
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return ""
    service = (os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or EC2_METADATA).rstrip("/")
    token = _ask(f"{service}/latest/api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    return _ask(f"{service}/latest/meta-data/placement/region", headers={"X-aws-ec2-metadata-token": token})


def _ask(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> str:
    """The body of a 200 answer, else an empty one. Link-local services are asked directly, past any proxy."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=REGION_S)
    try:
        connection.request(method, parts.path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.read(1 << 20).decode() if answer.status == http.client.OK else ""
    finally:
        connection.close()
