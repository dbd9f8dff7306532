"""AWS emulators, and clients of it, that nobody here wrote, each from PyPI in an environment of its own, on a loopback port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / "build" / "emulators"

PACKAGES = {
    "ministack": ("ministack==1.5.33",),
    "moto": ("moto[server,s3,sts]==5.2.5",),
    "sdks": ("openai==3.57.0", "anthropic==2.14.0", "boto3>=1.44"),
}


def environment(name: str) -> Path:
    """The bin folder of the emulator's own environment, made when it is not there. Skips where nothing can be installed."""
    folder = ENVIRONMENTS / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            install = [
                str(folder / "bin/python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *PACKAGES[name],
            ]
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"{name} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
            (folder / "installed").touch()
    return folder / "bin"


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """MiniStack's address while it runs: S3 (on disk, in ``folder``) and Bedrock."""
    port = free_port()
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "DOCKER_HOST": "unix:///nonexistent",
        "S3_DATA_DIR": str(folder),
    }
    with _running([str(environment("ministack") / "ministack")], settings, port, folder) as url:
        yield url


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """moto's server's address while it runs."""
    port = free_port()
    command = [str(environment("moto") / "moto_server"), "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, {}, port, folder) as url:
        yield url


@contextmanager
def _running(command: list[str], settings: dict[str, str], port: int, folder: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log, cwd=folder)
        try:
            _wait_until_it_answers(url, process, folder / "server.log")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended: {log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{process.args} does not answer: {log.read_text()[-2000:]}")


def make_bucket(url: str, name: str) -> None:
    """A bucket on the S3 server at ``url``."""
    boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket=name)


def objects(url: str, bucket: str, prefix: str = "") -> dict[str, bytes]:
    """Every object below ``prefix``, read with a plain client: what anybody would see."""
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key.removeprefix(prefix): client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
