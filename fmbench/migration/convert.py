"""An FMBench configuration, converted: models, prompts, levels, limits and prices; and what was dropped, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fmbench.config.addresses import SCHEMES
from fmbench.core.failures import UnusableInput
from fmbench.migration.data import bucket_of_interest, dataset
from fmbench.migration.source import Old, is_blank

BEDROCK_SCRIPT = "bedrock"
MOST_REQUESTS = 20_000
_DROPPED = {
    ("general", "model_name"): "dropped: it was a title",
    ("dir_paths",): "dropped: a run folder has its own names",
    ("run_steps",): "dropped: there are no notebooks; prompts, load and report are one command",
    (
        "s3_read_data",
        "prompt_template_file",
    ): "dropped: Converse wraps prompts as each model needs; dataset.template is for your own",
    ("s3_read_data", "tokenizer_prefix"): "dropped: token counts are the service's; buckets are made with a local tokenizer",
    ("s3_read_data", "script_files"): "dropped: HF_TOKEN is read from the environment",
    ("aws", "sagemaker_execution_role"): "dropped: AWS's own profile or role is used",
    ("report", "per_inference_request_file"): "dropped: records/ has every request",
    ("report", "all_metrics_file"): "dropped: summary.json has every cell",
    ("report", "txn_count_for_showing_cost"): "dropped: costs are for 10,000 requests",
    ("report", "v_shift_w_single_instance"): "dropped: it placed labels in a chart",
    ("report", "v_shift_w_gt_one_instance"): "dropped: it placed labels in a chart",
    ("report", "accuracy_budget"): "dropped: FMBench never read it; quality: true with objectives.quality_min judges answers",
    ("report", "cosine_similarity_budget"): "dropped: FMBench never read it",
    ("report", "accuracy_error_rate_budget"): "dropped: FMBench never read it",
    ("report", "latency_vs_token_len_chart"): "dropped: charts are drawn from the records",
    ("model_evaluations",): "dropped: no panel of models judges; LongBench's own metrics score the answers (quality: true)",
}

Prices = Mapping[str, Any]


def convert(old: Old, prices: Prices | None, path: str | None) -> dict[str, Any]:
    """The configuration as plain values; ``old.notes`` says what became of each part. ``prices``: FMBench's pricing.yml.

    Raises ``UnusableInput`` when nothing of it can be measured on Bedrock.
    """
    models = _models(old)
    data, filters = dataset(old, path)
    value: dict[str, Any] = {"name": _name(old), **_region(old), "output": _output(old), "models": models}
    value["inference"] = _inference(old)
    value["dataset"] = data
    value["load"] = {"concurrency": _levels(old)}
    value["objectives"] = _objectives(old, bucket_of_interest(old, filters))
    value["budget"] = {"max_requests": MOST_REQUESTS}
    if data["source"] == "longbench" and old.says_yes("run_steps", "4_get_evaluations.ipynb"):
        value["quality"] = True
    pricing = _pricing(old, [model["id"] for model in models], prices)
    _say_what_is_dropped(old)
    return value | ({"pricing": pricing} if pricing else {})


def _name(old: Old) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", old.text("general", "name") or "fmbench").strip("-._")[:80]
    old.note(("general", "name"), f"name: {name}")
    return name or "fmbench"


def _region(old: Old) -> dict[str, str]:
    region = old.text("aws", "region")
    old.note(("aws", "region"), f"region: {region}" if region else "left out: the region of AWS's variables or profile holds")
    return {"region": region} if region else {}


def _output(old: Old) -> str:
    kept = old.text("aws", "local_file_system_path") if old.text("aws", "s3_and_or_local_file_system") == "local" else None
    bucket = old.text("aws", "bucket")
    where = kept or (f"{SCHEMES[0]}://{bucket}/{_name_of_prefix(old)}" if bucket else "results")
    old.note(("aws", "bucket"), f"output: {where}")
    return where


def _name_of_prefix(old: Old) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", old.text("general", "name") or "fmbench")


def _models(old: Old) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = []
    taken: set[str] = set()
    for number, _ in enumerate(old.items("experiments")):
        model = _model(old, number)
        if model is None:
            continue
        label = model.get("label", model["id"])
        if label in taken:
            model["label"] = f"{label} #{number + 1}"[:80]
        taken.add(model.get("label", model["id"]))
        models.append(model)
    if not models:
        raise UnusableInput(f"{old.document.origin}: no experiment can be run on Bedrock; its notes: {'; '.join(old.lines())}")
    return models


def _model(old: Old, number: int) -> dict[str, Any] | None:
    place = ("experiments", number)
    script = old.text(*place, "inference_script") or ""
    endpoint = old.text(*place, "ep_name") or ""
    if BEDROCK_SCRIPT not in script:
        old.note(
            (*place, "inference_script"),
            f"experiment dropped: {script or 'no script'} is not Bedrock's",
        )
        return None
    raw = old.document.value["experiments"][number].get("ep_name")
    if is_blank(raw) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]*", endpoint):
        old.note((*place, "ep_name"), f"experiment dropped: {raw!r} is a blank; add a model with your id or ARN")
        return None
    streams = old.says_yes(*place, "inference_spec", "stream")
    api = "converse-stream" if streams else "converse"
    why = "it streamed" if streams else "it did not stream, so no TTFT is seen; without api: it streams"
    name = old.text(*place, "name") or endpoint
    old.note(place, f"a model, {endpoint}, api: {api}: {why}")
    for key, what in (("split_input_and_parameters", ""), ("start_token", "prompts need no tokens of a chat template")):
        if old.at(*place, "inference_spec", key) not in (None, "no", False):
            old.note((*place, "inference_spec", key), f"dropped: {what or 'it belongs to another kind of endpoint'}")
    return {"id": endpoint, **({"label": name[:80]} if name != endpoint else {}), "api": api}


def _inference(old: Old) -> dict[str, Any]:
    names = {
        old.text("experiments", number, "inference_spec", "parameter_set") for number, _ in enumerate(old.items("experiments"))
    }
    place = ("inference_parameters", next(iter(sorted(name for name in names if name)), "bedrock"))
    kept: dict[str, Any] = {"max_tokens": int(old.number(*place, "max_tokens") or 100)}
    for key in ("temperature", "top_p"):
        number = old.number(*place, key)
        if number is not None:
            kept[key] = number
    old.note(place, f"inference: {', '.join(f'{key} {value:g}' for key, value in kept.items())}")
    for key, why in (("caching", "FMBench never read it; cache: says what happens here"), ("use_boto3", "boto3 is always used")):
        if old.has(*place, key):
            old.note((*place, key), f"dropped: {why}")
    return kept


def _levels(old: Old) -> list[int]:
    lists = [old.items("experiments", number, "concurrency_levels") for number, _ in enumerate(old.items("experiments"))]
    levels = sorted({int(level) for each in lists for level in each if isinstance(level, int) and level > 0}) or [1]
    if len({tuple(each) for each in lists}) > 1:
        old.note(("experiments",), "their concurrency_levels differ: every model gets all of them")
    what = "users who each send their next request when the last is answered, not bursts"
    old.note(("experiments", 0, "concurrency_levels"), f"load.concurrency: {', '.join(map(str, levels))}: {what}")
    return levels


def _objectives(old: Old, bucket: str | None) -> dict[str, Any]:
    limits: dict[str, Any] = {"bucket": bucket} if bucket else {}
    for key, here in (("latency_budget", "e2e_p95_s"), ("cost_per_10k_txn_budget", "usd_per_10k")):
        number = old.number("report", key)
        if number:
            limits[here] = number
            old.note(("report", key), f"objectives.{here}: {number:g}")
    rate = old.number("report", "error_rate_budget")
    if rate is not None:
        limits["error_rate"] = rate or 0.01
        what = "" if rate else ": no sample can show that there are never errors, so one in a hundred"
        old.note(("report", "error_rate_budget"), f"objectives.error_rate: {limits['error_rate']:g}{what}")
    return limits


def _pricing(old: Old, ids: list[str], prices: Prices | None) -> dict[str, Any]:
    place = ("pricing",)
    if prices is None:
        old.note(place, "dropped: no such file is beside the configuration; the built-in prices hold (--pricing FILE)")
        return {}
    section = prices.get("pricing") if isinstance(prices.get("pricing"), dict) else prices
    tokens = section.get("token_based") if isinstance(section, dict) else None
    rows = tokens if isinstance(tokens, dict) else {}
    kept = {model: price for model in ids if (price := _price(rows.get(model))) is not None}
    missing = [model for model in ids if model not in kept]
    old.note(
        place,
        f"pricing: USD for a million tokens of {len(kept)} models" + (f"; not in it: {', '.join(missing)}" if missing else ""),
    )
    return kept


def _price(row: Any) -> dict[str, float] | None:
    if not isinstance(row, dict):
        return None
    pair = row.get("input-per-1k-tokens"), row.get("output-per-1k-tokens")
    if not all(isinstance(rate, (int, float)) and rate >= 0 for rate in pair):
        return None
    return {name: round(float(rate or 0) * 1000, 9) for name, rate in zip(("input", "output"), pair, strict=True)}


def _say_what_is_dropped(old: Old) -> None:
    for path, what in _DROPPED.items():
        if old.has(*path):
            old.note(path, what)
    known = {"general", "aws", "dir_paths", "s3_read_data", "run_steps", "datasets", "metrics", "pricing", "inference_parameters"}
    for key in old.document.value.keys() - known - {"experiments", "report", "model_evaluations"}:
        old.note((key,), "dropped: there is nothing like it here")
