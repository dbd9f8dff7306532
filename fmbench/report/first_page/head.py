"""The title and the line under it: what the report is about, when and where it ran."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fmbench.report.blocks import code, text
from fmbench.report.numbers import (
    DASH,
    known,
    listed,
)
from fmbench.report.quota_words import searched
from fmbench.report.study import Study
from fmbench.report.words import bucket_words

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def title(study: Study) -> str:
    """What the report is about: the models and the bucket of interest."""
    names = [text(study.short(model)) for model in study.models]
    bucket = study.bucket_asked
    for_what = f" for {bucket_words(bucket)}" if bucket else ""
    if not names:
        return f"No model was measured{for_what}"
    if searched(study.summary):
        return f"The quota of {listed(names, 'and')}"
    if len(names) == 1:
        return f"Does {names[0]} meet the objectives{for_what}?"
    who = listed(names, "and") if len(names) <= 3 else f"{len(names)} models"
    return f"Which of {who}{for_what}?"


def identity(study: Study) -> str:
    """One line under the title: the run, when, where."""
    manifest = study.manifest
    parts = [f"Run {code(study.summary.get('run_id') or manifest.get('run_id') or DASH)}"]
    if manifest.get("started_at") is not None:
        parts.append(moment(manifest["started_at"]))
    if manifest.get("region"):
        parts.append(text(manifest["region"]))
    if study.config.get("simulator") is not None:
        parts.append("**against the simulator, not AWS**")
    elif elsewhere(manifest.get("endpoint")):
        parts.append(f"**against {code(manifest['endpoint'])}, not AWS**")
    return " · ".join(parts)


def elsewhere(endpoint: Any) -> bool:
    """Whether requests went to an address that is not AWS's own."""
    if not endpoint or endpoint == "aws":
        return False
    try:
        return not (urlsplit(str(endpoint)).hostname or "").endswith(AWS_HOSTS)
    except ValueError:
        return True


def moment(value: Any) -> str:
    """An epoch as ``2026-11-23 20:46 UTC``; text as it is."""
    if not known(value):
        return text(value)
    return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M UTC")
