"""A configuration as a run keeps it: resolved, without secrets, and without the data that it was made of."""

from __future__ import annotations

import pytest

from fmbench.config.load import config_sha256, resolved_yaml, stored_config
from fmbench.core.failures import UnusableInput
from tests.config.reading import MODELS, parse, refusal


def test_what_was_resolved_loads_again_as_the_same():
    text = "models: [{id: a.m, inference: {additionalModelRequestFields: {top_k: 3}}}]\nsimulator: {tls: true}\n"
    config = parse(text)
    again = parse(resolved_yaml(config))
    assert again == config
    assert config_sha256(again) == config_sha256(config)
    assert config_sha256(parse(text, "seed=8")) != config_sha256(config)


def test_a_simulated_model_keeps_what_it_shares_with_the_profile():
    text = MODELS + "simulator: {profile: {ttft_s: 0.7}, models: {some.model-v1:0: {tpot_s: 0.3}}}\n"
    simulator = parse(resolved_yaml(parse(text))).simulator
    assert simulator is not None
    profile = simulator.profile_of("some.model-v1:0")
    assert (profile.ttft_s, profile.tpot_s) == (0.7, 0.3)


def test_secrets_are_neither_stored_nor_shown():
    config = parse(MODELS + "simulator: {bearer_key: s3cr3t}\n")
    assert config.simulator is not None and config.simulator.bearer_key == "s3cr3t"
    assert "s3cr3t" not in resolved_yaml(config)
    assert "s3cr3t" not in refusal(MODELS + "simulator: {bearer_key: [s3cr3t]}\n")
    assert "s3cr3t" not in refusal(MODELS, "simulator.bearer_key=[s3cr3t]")
    assert "s3cr3t" not in refusal(MODELS, "simulator={bearer_key: [s3cr3t]}")
    assert "s3cr3t" not in refusal(MODELS + "simulater: {bearer_key: s3cr3t}\n")


def test_the_configuration_of_a_prepared_run_needs_no_data_any_more():
    text = MODELS + "dataset: {source: jsonl, path: rows-of-another-machine.jsonl}\n"
    assert "does not exist" in refusal(text)
    assert stored_config(text, "config.yml").dataset.path == "rows-of-another-machine.jsonl"
    with pytest.raises(UnusableInput, match="sede"):
        stored_config(text + "sede: 1\n", "config.yml")
