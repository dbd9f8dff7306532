"""What a configuration file may say, and what is said about one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from fmbench.config.load import load_config
from fmbench.core.failures import UnusableInput
from tests.config.reading import MODELS, parse, refusal


def test_the_contract_s_example_is_a_whole_configuration(tmp_path: Path):
    (tmp_path / "longbench").mkdir()
    text = """
name: nova-or-haiku
region: us-east-1
seed: 7
output: results
models:
  - id: us.amazon.nova-lite-v1:0
    label: nova-lite
  - id: us.anthropic.claude-haiku-4-5-20251001-v1:0
    api: converse-stream
    inference: {max_tokens: 64}
inference: {max_tokens: 128, temperature: 0.0}
dataset:
  source: longbench
  path: PATH
  tasks: [hotpotqa, multi_news]
  languages: [en]
  buckets: ["1-500", "500-1000", "1000-2000", "2000-3000", "3000-4000"]
  prompts_per_bucket: 50
load:
  concurrency: [1, 2, 4, 8]
  warmup_s: 5
  duration_s: 30
  min_requests: 20
objectives:
  bucket: en_2000-3000
  ttft_p95_s: 1.5
  e2e_p95_s: 5
  error_rate: 0.01
  usd_per_10k: 50
  prefer: cost
budget: {max_usd: 5.0, max_requests: 20000}
pricing:
  us.amazon.nova-lite-v1:0: {input: 0.06, output: 0.24}
simulator: {}
"""
    config = parse(text.replace("PATH", str(tmp_path / "longbench")))
    assert [model.name for model in config.models] == ["nova-lite", "us.anthropic.claude-haiku-4-5-20251001-v1:0"]
    assert config.models[1].inference.max_tokens == 64
    assert config.load.concurrency == [1, 2, 4, 8]
    assert config.pricing["us.amazon.nova-lite-v1:0"].output == 0.24
    assert config.simulator is not None


def test_models_alone_are_enough():
    config = parse(MODELS)
    assert (config.seed, config.output, config.simulator) == (7, "results", None)


def test_all_faults_are_named_at_once_with_line_path_value_and_cure():
    message = refusal(
        """models:
  - id: a.model
    inference: {max_tokens: 0}
  - {id: b.model, api: convers-stream}
objectvies: {prefer: cost}
dataset:
  buckets: [500-100, 1-2]
load:
  duration_s: soon
  concurrency: [1, 1]
seed: 1.5
seed: 2
"""
    )
    for line in (
        "cfg.yml:3: models[0].inference.max_tokens = 0: is too small; write 1 or more",
        'cfg.yml:4: models[1].api = "convers-stream"',
        'did you mean "converse-stream"?',
        "cfg.yml:5: objectvies = {'prefer': 'cost'}: is an unknown key; did you mean \"objectives\"?",
        'cfg.yml:7: dataset.buckets[0] = "500-100": is no bucket; write "<min>-<max>"',
        'cfg.yml:9: load.duration_s = "soon": is not a number',
        "cfg.yml:10: load.concurrency = [1, 1]: has the same entry twice",
        "cfg.yml:11: seed = 1.5: is not a whole number",
        "cfg.yml:12: seed: stands twice: here and in line 11; leave one out",
    ):
        assert line in message
    assert "cfg.yml cannot be used (8 faults); nothing was sent." in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("- a\n- b\n", "holds no keys"),
        ("just words\n", "holds no keys"),
        ("models: [\n", "is not YAML"),
        ("models:\n\t- id: a\n", "is not YAML"),
        ("models: []\n", "models = []: has too few entries"),
        ("models:\n", "models = null"),
        ("models: {id: a}\n", "is not a list"),
        ("models: [a]\n", 'models[0] = "a": is not a section of keys'),
        ("models: [{label: x}]\n", "models[0].id: is missing"),
        (MODELS + "quality: yes\n", "write true"),
        (MODELS + "quality: on\n", "write true"),
        (MODELS + "seed: 1e3\n", "not a whole number"),
        (MODELS + "seed: '7'\n", 'seed = "7": is not a whole number'),
        (MODELS + "seed: 99999999999999999999\n", "seed"),
        (MODELS + "seed: true\n", "seed = true: is not a whole number"),
        (MODELS + "name: 12\n", "is not text; put it in quotes"),
        (MODELS + "region: 2024-01-01x: y\n", "is not YAML"),
        (MODELS + "load: {duration_s: .inf}\n", "is not a finite number"),
        (MODELS + "load: {duration_s: .nan}\n", "load.duration_s"),
        (MODELS + "load: {duration_s: }\n", "is left empty"),
        (MODELS + "load: {concurrency: [0]}\n", "load.concurrency[0] = 0: is too small"),
        (MODELS + "load: {concurrency: []}\n", "load.concurrency = []: has too few entries"),
        (MODELS + "load: {prompts_per_bucket: 3}\n", "it belongs to dataset:"),
        (MODELS + "ttft_p95_s: 3\n", "it belongs to objectives:"),
        (MODELS + "load: 7\n", "load = 7: is not a section of keys"),
        (MODELS + "dataset: {template: 3}\n", "dataset.template = 3: is not text"),
        (MODELS + "dataset: {buckets: [500]}\n", "dataset.buckets[0] = 500: is not text; put it in quotes"),
        (MODELS + "dataset: {buckets: ['-500']}\n", "is no bucket"),
        (MODELS + "dataset: {buckets: ['500-500']}\n", "is no bucket"),
        (MODELS + "dataset: {buckets: ['1-2', '1-2']}\n", "same entry twice"),
        (MODELS + "pricing: {x: {input: -1, output: 0}}\n", "pricing.x.input = -1: is too small"),
        (MODELS + "pricing: {x: {input: 1}}\n", "pricing.x.output: is missing"),
        (MODELS + "budget: {max_usd: 0}\n", "budget.max_usd = 0: is too small"),
        (MODELS + "? [a, b]\n: c\n", "a key that is a list or a mapping"),
        (MODELS + "name: !!python/object/apply:os.system [ls]\n", "name"),
        (MODELS + "x: &a [*a]\n", "repeats itself without end"),
        ("models: [{id: a.model, label: x}, {id: b.model, label: x}]\n", "is the name of models[0] too"),
        ("models: [{id: a.model}, {id: a.model}]\n", "give each a label of its own"),
        ("models: [{id: 'a b'}]\n", "models[0].id"),
        ("models: [{id: a, label: 'a|b'}]\n", "models[0].label"),
        (MODELS + "objectives: {bucket: en_1-2}\n", "is none of this configuration's buckets"),
        (MODELS + "objectives: {bucket: en_2000-300}\n", 'did you mean "en_2000-3000"?'),
        (MODELS + "objectives: {quality_min: 0.5}\n", "add quality: true"),
        (MODELS + "dataset: {source: longbench, path: /not/there}\n", "does not exist; there is no /not/there"),
        (MODELS + "dataset: {source: jsonl}\n", "dataset.path: is missing"),
        (
            MODELS + "dataset: {source: jsonl, path: 'gs://bucket/rows'}\n",
            'dataset.path = "gs://bucket/rows": is neither a path nor',
        ),
        (MODELS + "output: 's3:/bucket'\n", "give a path, or s3://bucket/prefix"),
        (MODELS + "output: 's3://'\n", "s3://bucket/prefix"),
        (MODELS + "dataset: {languages: [en, ../en]}\n", 'dataset.languages[1] = "../en"'),
        (MODELS + "dataset: {source: huggingface}\n", "dataset.repo: is missing"),
        (MODELS + "load: {duration_s: 30, max_duration_s: 3}\n", "is shorter than load.duration_s"),
        (MODELS + "load: {rate_per_min: 600}\n", "load.rate_per_min = 600: is not a list; write it in brackets"),
        (MODELS + "load: {rate_per_min: {from: -1, to: 5, over_s: 5}}\n", "load.rate_per_min.from = -1: is too small"),
        (MODELS + "load: {rate_per_min: {from: 0, to: 0, over_s: 5}}\n", "goes from 0 to 0 and sends nothing"),
        (MODELS + "load: {rate_per_min: {from: 1, over_s: 5}}\n", "load.rate_per_min.to: is missing"),
        (MODELS + "load: {rate_per_min: {from: 1, to: 2, ovr_s: 5, over_s: 5}}\n", "rate_per_min.ovr_s = 5: is an unknown key"),
        (MODELS + "load: {rate_per_min: {profile: [0, 0], over_s: 5}}\n", "has no step with a rate"),
        (MODELS + "load: {rate_per_min: {profile: [0, 0], over_s: 5}}\n", "cannot be used (1 fault)"),
        (MODELS + "load: {rate_per_min: {profile: [1, 2], over_s: -1}}\n", "load.rate_per_min.over_s = -1: is too small"),
        (MODELS + "load: {rate_per_min: [0]}\n", "load.rate_per_min[0] = 0: is too small"),
        (MODELS + "load: {think_time_s: {mean: 1, spread: weibull}}\n", 'load.think_time_s.spread = "weibull"'),
        (MODELS + "load: {search: {to: 8}}\n", "none is known during the load"),
        (MODELS + "quality: true\nobjectives: {quality_min: 0.5}\nload: {search: {to: 8}}\n", "none is known during the load"),
        (MODELS + "objectives: {e2e_p95_s: 1}\nload: {search: {to: 8}, repeats: 2}\n", "search, which repeats levels by itself"),
    ],
)
def test_each_unusable_thing_is_said(text: str, said: str):
    assert said in refusal(text)


def test_a_fault_does_not_hide_one_between_other_values():
    message = refusal(
        "models: [{id: a.m, label: x}, {id: b.m, label: x}]\nsede: 3\nobjectives: {bucket: en_1-2}\nload: {duration_s: -1}\n"
    )
    for path in ("models[1].label", "sede", "objectives.bucket", "load.duration_s"):
        assert path in message


def test_alias_bombs_are_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "repeats itself without end" in refusal("\n".join(lines))


def test_anchors_and_merges_work():
    config = parse(
        "models:\n  - id: a.m\n    inference: &shared {max_tokens: 5, top_p: 0.5}\n"
        "  - id: b.m\n    inference: {<<: *shared, max_tokens: 6}\n"
    )
    assert (config.models[1].inference.max_tokens, config.models[1].inference.top_p) == (6, 0.5)


def test_words_of_yaml_1_1_stay_words():
    config = parse("models: [{id: a.m, label: on}]\ndataset: {languages: [no]}\nregion: 1:30\n")
    assert (config.models[0].label, config.dataset.languages, config.region) == ("on", ["no"], "1:30")


def test_numbers_with_exponents_are_numbers():
    assert parse(MODELS + "load: {duration_s: 1e1, warmup_s: 5}\n").load.duration_s == 10.0


@pytest.mark.parametrize("section", ["inference", "dataset", "load", "objectives", "budget", "pricing"])
@pytest.mark.parametrize("empty", ["", " null", " ~", " {}"])
def test_an_empty_section_means_its_defaults(section: str, empty: str):
    assert parse(f"{MODELS}{section}:{empty}\n") == parse(MODELS)


def test_an_empty_simulator_section_never_means_aws():
    assert parse(MODELS + "simulator:\n").simulator is not None
    assert parse(MODELS + "simulator: {}\n").simulator is not None
    assert parse(MODELS + "simulator: null\n").simulator is None


def test_a_fault_is_said_once_however_many_others_there_are():
    message = refusal("objectvies: {}\nsede: 1\n")
    assert "(3 faults)" in message
    assert message.count("models: is missing") == 1


@pytest.mark.parametrize("name", ["missing.yml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str):
    with pytest.raises(UnusableInput, match="cannot be read"):
        load_config(str(tmp_path / name))


def test_a_file_that_is_no_text_is_named(tmp_path: Path):
    (tmp_path / "cfg.yml").write_bytes(b"models: \xff\xfe\x00")
    with pytest.raises(UnusableInput, match="UTF-8"):
        load_config(str(tmp_path / "cfg.yml"))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path):
    (tmp_path / "cfg.yml").write_bytes(b"\xef\xbb\xbf" + MODELS.encode())
    assert load_config(str(tmp_path / "cfg.yml")).config.models


def test_traffic_is_some_and_given_once():
    hours = "[" + ", ".join(["0"] * 24) + "]"
    assert "no request in any hour" in refusal(MODELS + f"traffic: {{per_hour: {hours}}}")
    assert "both requests_per_day and per_hour" in refusal(MODELS + f"traffic: {{requests_per_day: 5, per_hour: {hours}}}")
