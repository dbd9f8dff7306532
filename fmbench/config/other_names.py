"""What other tools, and people, call the keys of a configuration: so that an unknown key is answered with the right one."""

from __future__ import annotations

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "api": ("operation", "method", "protocol"),
    "budget": ("limits", "limit", "max_cost", "spend"),
    "buckets": ("filters", "lengths", "token_ranges", "min_length_in_tokens", "max_length_in_tokens"),
    "concurrency": (
        *("users", "user", "virtual_users", "vus", "threads", "clients", "workers", "parallelism", "concurrent_requests"),
        *("concurrency_levels", "concurrencies", "levels", "streams"),
    ),
    "dataset": ("prompts", "datasets", "data", "payload", "payloads", "input_data"),
    "duration_s": ("time", "run_time", "runtime", "seconds", "window_s", "length_s", "measure_s"),
    "error_rate": ("errors", "max_errors", "failure_rate", "error_rate_budget"),
    "id": ("model_id", "modelid", "model", "arn", "ep_name", "inference_profile"),
    "inference": ("inference_parameters", "parameters", "inference_config", "inferenceconfig", "generation"),
    "label": ("alias", "title", "display_name", "nickname"),
    "load": ("run", "traffic_shape", "test", "locust"),
    "max_requests": ("requests", "request_limit"),
    "max_tokens": ("max_new_tokens", "maxtokens", "max_output_tokens", "max_gen_len", "output_tokens", "max_completion_tokens"),
    "max_usd": ("usd", "dollars", "cost", "max_dollars", "max_spend"),
    "min_requests": ("requests_per_cell", "iterations", "min_iters_per_combination"),
    "models": ("model", "model_ids", "experiments", "endpoints"),
    "objectives": ("slo", "slos", "sla", "targets", "goals", "thresholds", "requirements"),
    "output": ("out", "outdir", "results", "results_dir", "destination", "output_path"),
    "path": ("file", "files", "folder", "dir", "uri", "url", "location", "data_path"),
    "prefer": ("preference", "optimize", "optimise", "rank_by", "sort_by"),
    "pricing": ("prices", "price", "costs", "price_list"),
    "prompts_per_bucket": ("prompts", "samples", "count", "rows", "n_prompts", "num_prompts", "limit", "ds_n"),
    "region": ("aws_region", "region_name", "location"),
    "repeats": ("repetitions", "runs", "iterations", "rounds"),
    "repo": ("hf", "hub", "dataset_id", "huggingface"),
    "seed": ("random_seed", "rng_seed"),
    "simulator": ("mock", "fake", "stub", "simulate", "simulation"),
    "source": ("type", "kind", "provider"),
    "stop_sequences": ("stop", "stop_token", "stopsequences"),
    "system": ("system_prompt", "instructions"),
    "tasks": ("task", "subsets", "source_data_files"),
    "timeouts": ("timeout", "deadlines"),
    "top_p": ("topp", "nucleus"),
    "ttft_p95_s": ("ttft", "ttft_s", "time_to_first_token"),
    "e2e_p95_s": ("e2e", "e2e_s", "latency", "latency_s", "latency_budget", "p95"),
    "tpot_p95_s": ("tpot", "itl", "time_per_output_token"),
    "usd_per_10k": ("price_per_10k", "cost_per_10k", "cost_per_10k_txn_budget"),
    "warmup_s": ("ramp_up", "rampup", "ramp_up_s", "warm_up"),
}
"""For each key, what else it is called. Where a section has several keys under one other name, the first that it has is meant."""

SHORT_FORMS = {
    "models": "id",
    "dataset": "source",
    "load": "concurrency",
    "objectives": "prefer",
    "budget": "max_usd",
    "inference": "max_tokens",
    "simulator": "profile",
}
"""The key that is meant where a section is given a single value."""


def right_name(word: str, known: list[str]) -> str | None:
    """The key of ``known`` that ``word`` is another name of; None: of none."""
    plain = word.lower().replace("-", "_")
    return next((key for key in known if plain in OTHER_NAMES.get(key, ())), None)
