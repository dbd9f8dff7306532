"""The title and the line under it: what the report is about, when and where it ran."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fmbench.report.blocks import code, text
from fmbench.report.numbers import (
    DASH,
    known,
    listed,
)
from fmbench.report.study import Study
from fmbench.report.words import bucket_words


def title(study: Study) -> str:
    """What the report is about: the models and the bucket of interest."""
    names = [text(study.short(model)) for model in study.models]
    who = listed(names, "or") if 0 < len(names) <= 3 else f"Which of {len(names)} models" if names else "A run without models"
    bucket = study.bucket_asked
    return f"{who} for {bucket_words(bucket)}" if bucket else who


def identity(study: Study) -> str:
    """One line under the title: the run, when, where."""
    manifest = study.manifest
    parts = [f"Run {code(study.summary.get('run_id') or manifest.get('run_id') or DASH)}"]
    if manifest.get("started_at") is not None:
        parts.append(moment(manifest["started_at"]))
    if manifest.get("region"):
        parts.append(text(manifest["region"]))
    if study.config.get("simulator") is not None:
        parts.append("**against the embedded simulator, not AWS**")
    return " · ".join(parts)


def moment(value: Any) -> str:
    """An epoch as ``2026-11-23 20:46 UTC``; text as it is."""
    if not known(value):
        return text(value)
    return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M UTC")
