"""What the command line says over the file."""

from __future__ import annotations

import pytest

from fmbench.config.load import parse_config
from tests.config.reading import MODELS, parse, refusal


def test_overrides_win_and_are_read_as_yaml():
    config = parse(
        "models: [{id: a.m}, {id: b.m}]\nload: {duration_s: 3}\npricing: {us.a.b-v1:0: {input: 1, output: 2}}\n",
        "load.duration_s=10",
        "load.concurrency=[3, 5]",
        "models.1.label=second",
        "models[0].inference.max_tokens=9",
        "pricing.us.a.b-v1:0.input=4",
        'pricing["c.d"]={input: 5, output: 6}',
        "objectives.prefer=latency",
        "simulator={}",
        "region=",
    )
    assert (config.load.duration_s, config.load.concurrency) == (10, [3, 5])
    assert config.models[1].name == "second"
    assert config.models[0].inference.max_tokens == 9
    assert (config.pricing["us.a.b-v1:0"].input, config.pricing["c.d"].output) == (4, 6)
    assert config.objectives.prefer == "latency"
    assert config.simulator is not None
    assert config.region is None


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("load", "--set load: is no key=value"),
        ("=3", "is no key=value"),
        ("load.duration_s=-1", "--set load.duration_s=-1: load.duration_s = -1: is too small"),
        ("load.duratoin_s=1", 'did you mean "duration_s"?'),
        ("models.4.id=x", "models[4]: is not one of the list's 1 entries"),
        ("models.x.id=x", "is not one of the list's 1 entries"),
        ("seed.a=1", "seed = {'a': 1}"),
        ("name.a.b=1", "name"),
        ("load.concurrency=[1", "put quotes around the value"),
    ],
)
def test_an_unusable_override_is_named(override: str, said: str):
    assert said in refusal(MODELS, override)


def test_output_and_seed_win_over_everything():
    loaded = parse_config(MODELS + "seed: 1\noutput: a\n", "cfg.yml", ["seed=2", "output=b"], output="s3://c/d", seed=3)
    assert (loaded.config.seed, loaded.config.output) == (3, "s3://c/d")
