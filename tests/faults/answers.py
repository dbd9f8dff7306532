"""Faults in what the endpoint answers."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
import sys
import textwrap
import unicodedata
from pathlib import Path
from typing import Any

from tests.bedrock import by_hand
from tests.e2e.commands import Ended
from tests.faults.hostile import ANSWER, Answerer, error, hostile, stream
from tests.faults.trials import NOVA, Trial, config, desk, fault, trial

ODD: list[Any] = [5, {"a": 1}, [1], True, 2**63 + 5, 2**70, -7, 5.5, "5", 1e308, "\ud83d"]
TWO_BUCKETS = {"buckets": ["1200-1600", "100-300"], "prompts_per_bucket": 3}


def _run(place: Path, answer: Answerer, **sections: Any) -> tuple[Ended, Trial]:
    with hostile(answer) as ledger:
        ended = desk(place, ledger).run(config(**sections))
        return ended, trial(ended, len(ledger))


@fault("fields of answers that cannot be: stop reason, tier, usage, latency")
def odd_fields(place: Path) -> Trial:
    usage = {"inputTokens": 13, "outputTokens": 3, "totalTokens": 16}

    def answer(asked: Any) -> bytes:
        value = ODD[asked.number // 4 % len(ODD)]
        return (
            stream(stop=value),
            stream(serviceTier={"type": value}, metrics={"latencyMs": value}),
            stream(usage=usage | {"outputTokens": value}),
            ANSWER,
        )[asked.number % 4]

    ended, result = _run(place, answer)
    assert ended.status == 0, ended.stderr
    rows = ended.records()
    assert set(rows.failure.dropna()) == {"malformed", "bad_response"}  # a half character is no JSON
    assert (rows.output_tokens.dropna() >= 0).all() and (rows.usd.dropna() >= 0).all()
    assert (ended.run / "report.md").exists()
    return result


@fault("error texts with half characters, escapes and a megabyte")
def odd_texts(place: Path) -> Trial:
    bodies = [rb'{"message": "\ud83d\u001b[2J"}', b'{"message": "' + b"x" * 1_000_000 + b'"}', b"[1]", b"\xff\xfe", b"[" * 50_000]

    def answer(asked: Any) -> bytes:
        body = bodies[asked.number % len(bodies)]
        return ANSWER if asked.number % 3 else by_hand.counted(body, "500 T", x_amzn_ErrorType="InternalServerException")

    ended, result = _run(place, answer)
    rows = ended.records()
    assert ended.status == 0, ended.stderr
    assert set(rows.failure.dropna()) == {"internal"}
    assert all(text.isprintable() and len(text) <= 500 for text in rows.message.dropna())
    return result


def _too_long(place: Path, buckets: list[str]) -> Trial:
    def answer(asked: Any) -> bytes:
        return (
            error("400 T", "ValidationException", "Input is too long for requested model.") if len(asked.text) > 3000 else ANSWER
        )

    ended, result = _run(place, answer, dataset=TWO_BUCKETS | {"buckets": buckets})
    page = (ended.run / "report.md").read_text()
    assert ended.status == 0, ended.stderr
    assert {cell["bucket"]: cell["status"] for cell in ended.manifest["cells"]} == {
        "en_100-300": "complete",
        "en_1200-1600": "skipped",
    }
    assert "Input is too long for requested model." in page
    assert "Input is too long for requested model." in ended.stderr
    return result


@fault("a bucket too long for the model, asked first")
def long_first(place: Path) -> Trial:
    return _too_long(place, ["1200-1600", "100-300"])


@fault("a bucket too long for the model, asked last")
def long_last(place: Path) -> Trial:
    return _too_long(place, ["100-300", "1200-1600"])


@fault("a parameter that the model turns down")
def parameter(place: Path) -> Trial:
    said = "`temperature` is deprecated for this model."
    ended, result = _run(place, lambda asked: error("400 T", "ValidationException", said))
    assert ended.status == 4
    assert said in ended.stderr and "inference.temperature" in ended.stderr
    assert said.replace("`", "") in re.sub(r"[`\\\\]", "", (ended.run / "report.md").read_text())
    return result


@fault("credentials that end at request 71, and the run resumed")
def credentials_end(place: Path) -> Trial:
    ends_at = [71]

    def answer(asked: Any) -> bytes:
        if asked.number < ends_at[0]:
            return ANSWER
        return error("403 T", "ExpiredTokenException", "The security token included in the request is expired")

    models = [{"id": NOVA, "label": label} for label in ("one", "two")]
    load = {"concurrency": [4], "warmup_s": 0.2, "duration_s": 1, "min_requests": 60}
    with hostile(answer) as ledger:
        at = desk(place, ledger)
        study = config(models=models, load=load)
        ended = at.run(study)
        assert ended.status == 4, ended.stderr
        assert "aws sso login" in ended.stderr and "security token" in ended.stderr
        first = trial(ended, len(ledger))
        judged = [cell for cell in ended.json("summary.json")["cells"] if cell["status"] != "complete"]
        assert all(cell["meets_objectives"] is None for cell in judged)
        ends_at[0] = 10**9
        resumed = at.run(study, "--resume", ended.run.name)
        assert resumed.status == 0, resumed.stderr
        assert {(cell["model"], cell["status"]) for cell in resumed.manifest["cells"]} >= {
            ("one", "complete"),
            ("two", "complete"),
        }
        last = trial(resumed, len(ledger))
    return Trial(last.sent, first.unaccounted + last.unaccounted, ended.status, last.lost)


def provider(place: Path, life_s: int, works: int) -> dict[str, str]:
    """A profile whose ``credential_process`` notes each call, and fails after ``works`` of them."""
    script = place / "provider.py"
    script.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import datetime, json, os, sys
        with open({str(place / "calls")!r}, "a") as calls:
            calls.write("x")
        if os.path.getsize({str(place / "calls")!r}) > {works}:
            sys.exit("the session has ended: hunter2")
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds={life_s})
        key = dict(Version=1, AccessKeyId="AKIDEXAMPLE", SecretAccessKey="s", SessionToken="t", Expiration=end.isoformat())
        print(json.dumps(key))
        """)
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (place / "aws").write_text(f"[default]\nregion = us-east-1\ncredential_process = {script}\n")
    return {"AWS_CONFIG_FILE": str(place / "aws"), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@fault("5-minute credentials of a credential_process")
def short_credentials(place: Path) -> Trial:
    with hostile(lambda asked: ANSWER) as ledger:
        ended = desk(place, ledger, **provider(place, 300, 10**6)).run(config())
        assert ended.status == 0, ended.stderr
        assert os.path.getsize(place / "calls") <= 4, "once a process"
        return trial(ended, len(ledger))


@fault("a credential_process that fails in the middle of a run")
def failing_provider(place: Path) -> Trial:
    with hostile(lambda asked: ANSWER) as ledger:
        variables = provider(place, 6, 3)
        load = {"concurrency": [4], "warmup_s": 0, "duration_s": 60, "min_requests": 0}
        ended = desk(place, ledger, **variables).run(config(load=load))
        assert ended.status == 4, ended.stderr
        assert "Renew the AWS credentials" in ended.stderr
        return trial(ended, len(ledger))


@fault("a clock that is wrong")
def clock(place: Path) -> Trial:
    said = "Signature expired: 20261127T080000Z is now earlier than 20261127T081500Z (20261127T082000Z - 5 min.)"
    ended, result = _run(place, lambda asked: error("403 T", "InvalidSignatureException", said))
    assert ended.status == 4
    assert "clock" in ended.stderr and set(ended.records().failure) == {"clock_skew"}
    return result


@fault("a proxy that wants another password")
def proxy(place: Path) -> Trial:
    refusal = by_hand.counted(b"no", "407 Proxy Authentication Required", "text/html", Proxy_Authenticate="Basic")
    with hostile(lambda asked: refusal) as ledger:
        variables = {"HTTP_PROXY": ledger.url.replace("//", "//user:hunter2@"), "NO_PROXY": ""}
        elsewhere = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://bedrock.example.test"}
        ended = desk(place, None, **variables, **elsewhere).run(config())
        assert ended.status == 4, ended.stderr
        assert "HTTP_PROXY" in ended.stderr and "hunter2" not in ended.stderr
        assert set(ended.records().failure) == {"proxy_refused"}
        return trial(ended, len(ledger))


MARKUP = [
    "=1+1",
    "\x1b]0;evil\x07",
    "\u202eabc",
    "<script>alert(1)</script>",
    "[/red]",
    "$\\frac{",
    "| x |\n---",
    "\uff1dx",
    "\x9b31m",
]
LABELS = ['=HYPERLINK("http://x.example")', "[/red]$\\frac{$<b>x</b>", "<img src=x onerror=alert(1)>", "\uff1dcmd()", "+1+1"]
MUTE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@fault("labels, rows and answers that are formulas, markup and escapes")
def markup(place: Path) -> Trial:
    data = place / "rows.jsonl"
    rows = [{"_id": odd, "input": f"question {odd} " + "word " * 150, "answers": ["a"], "dataset": odd} for odd in MARKUP]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def answer(asked: Any) -> bytes:
        odd, kind = MARKUP[asked.number % len(MARKUP)], asked.number % 4
        if kind == 0:
            return error("400 T", "ValidationException", odd)
        if kind == 1:
            return stream(stop=odd)
        return stream(serviceTier={"type": odd}, performanceConfig={"latency": odd}) if kind == 2 else ANSWER

    dataset = {"source": "jsonl", "path": str(data), "buckets": ["1-500"], "prompts_per_bucket": 9}
    models = [{"id": NOVA, "label": label} for label in LABELS]
    load = {"concurrency": [2], "warmup_s": 0, "duration_s": 0.5, "min_requests": 9}
    ended, result = _run(place, answer, models=models, dataset=dataset, load=load, objectives={"error_rate": 0.9})
    assert ended.status == 0, ended.stderr
    assert "Traceback" not in ended.stderr and not _mute(ended.stderr)
    for path in [*ended.run.rglob("*.csv"), ended.run / "report.md"]:
        assert not _mute(path.read_text()), path
    page = (ended.run / "report.html").read_text().partition("<script")[0]
    assert not _mute(page) and "<img src=x" not in page and "&lt;b&gt;x&lt;/b&gt;" in page
    cells = [cell for path in ended.run.rglob("*.csv") for row in csv.reader(path.read_text().splitlines(True)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "\uff1d")]
    assert len(list((ended.run / "plots").glob("*.png"))) >= 5
    assert {name.rsplit("|", 3)[0] for name in ended.manifest["locust"]["counts"]} == set(LABELS)
    return result


def _mute(text: str) -> set[str]:
    """Characters that hide, or change how others are shown."""
    return {character for character in text if unicodedata.category(character) in MUTE and character != "\n"}
