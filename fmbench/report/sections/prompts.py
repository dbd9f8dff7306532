"""The prompts of each bucket, the datasets, and the local count of tokens against the service."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Text, code, table, text
from fmbench.report.numbers import (
    DASH,
    count,
    known,
    share,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study, bucket_key


def blocks(material: Material) -> list[Block | None]:
    """The prompts of each bucket, the datasets, and the local count of tokens against the service."""

    study = material.study
    found = study.manifest.get("buckets") or {}
    rows = [_bucket_row(name, found[name]) for name in sorted(found, key=bucket_key)]
    sets = [_dataset_row(row) for row in study.manifest.get("datasets") or []]
    return [
        table(["Bucket", "Prompts", "Tokens min", "mean", "max", "SHA-256 (first 16)"], rows) if rows else None,
        table(["Dataset", "Revision", "Rows", "SHA-256 (first 16)"], sets, left=(0, 1)) if sets else None,
        _tokenizer(study),
        *material.pictures_of("prompts"),
    ]


def _bucket_row(name: str, info: dict[str, Any]) -> list[str]:
    sizes = [_count_or_dash(info.get(key)) for key in ("count", "tokens_min", "tokens_mean", "tokens_max")]
    return [text(name), *sizes, code(str(info.get("sha256") or "")[:16])]


def _dataset_row(row: dict[str, Any]) -> list[str]:
    digest = code(str(row.get("sha256") or "")[:16])
    return [text(row.get("name") or DASH), code(row.get("revision") or ""), _count_or_dash(row.get("rows")), digest]


def _count_or_dash(value: Any) -> str:
    return count(round(value)) if known(value) else DASH


def _tokenizer(study: Study) -> Block | None:
    kept = study.manifest.get("tokenizer") or {}
    name = " ".join(str(kept[key]) for key in ("name", "version") if kept.get(key))
    ratios = study.summary.get("token_ratios") or {}
    if not name and not ratios:
        return None
    far = [f"{text(study.short(model))} {_off(ratio)}" for model, ratio in ratios.items()]
    own = f"The service's own count against it: {', '.join(far)}." if far else ""
    return Text(f"Buckets were made with the local tokenizer {code(name or 'unknown')}. {own}")


def _off(ratio: float) -> str:
    sign = "+" if ratio >= 1 else "\u2212"
    return f"{sign}{share(abs(ratio - 1))}"


SECTION = Section("Prompts and tokens", blocks)
