"""FMBench's configurations become ours: the shapes of its files, and what is said of each part. The files here are made up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

OLD = """\
general:
  name: "my models: a study"
  model_name: "Some models"
aws:
  region: {region}
  sagemaker_execution_role: {role_arn}
  bucket: {write_bucket}
dir_paths:
  data_prefix: data
s3_read_data:
  read_bucket: {read_bucket}
  scripts_prefix: scripts
  scripts_prefix: scripts
  source_data_files:
  - hotpotqa_e.jsonl
  - hotpotqa.jsonl
  - hf:THUDM/LongBench/qasper/test
  prompt_template_file: prompt_template_x.txt
run_steps:
  3_run_inference.ipynb: yes
  4_get_evaluations.ipynb: yes
datasets:
  prompt_template_keys: [input, context]
  ground_truth_col_key: answers
  question_col_key: input
  max_iters_per_combination: 40
  filters:
  - {language: en, min_length_in_tokens: 1, max_length_in_tokens: 500, payload_file: payload_en_1-500.jsonl}
  - {language: en, min_length_in_tokens: 3000, max_length_in_tokens: 4000, payload_file: payload_en_3000-3840.jsonl}
  - {language: zh, min_length_in_tokens: 10, max_length_in_tokens: 90, payload_file: payload_zh_10-90.jsonl}
metrics:
  dataset_of_interest: en_3000-3840
pricing: pricing.yml
inference_parameters:
  bedrock: {temperature: 0.1, max_tokens: 77, top_p: 0.92, caching: False, use_boto3: no}
experiments:
  - name: fast
    ep_name: amazon.titan-text-express-v1
    instance_type: amazon.titan-text-express-v1
    inference_script: bedrock_predictor.py
    inference_spec: {split_input_and_parameters: no, parameter_set: bedrock, stream: True, stop_token: "<|eot_id|>"}
    payload_files: [payload_en_1-500.jsonl, payload_en_3000-3840.jsonl]
    concurrency_levels: [1, 4]
  - name: meta.llama3-8b-instruct-v1:0
    ep_name: meta.llama3-8b-instruct-v1:0
    inference_script: bedrock_predictor.py
    inference_spec: {parameter_set: bedrock, stream: False}
    payload_files: [payload_en_1-500.jsonl, payload_en_5000-6000.jsonl]
    concurrency_levels: [2, 4]
  - name: provisioned
    ep_name: <your-provisioned-throughput-arn>
    inference_script: bedrock_predictor.py
    inference_spec: {parameter_set: bedrock}
    payload_files: [payload_en_1-500.jsonl]
    concurrency_levels: [1]
  - name: elsewhere
    ep_name: my-endpoint
    inference_script: sagemaker_predictor.py
    payload_files: [payload_en_1-500.jsonl]
    concurrency_levels: [1]
report:
  latency_budget: 5
  cost_per_10k_txn_budget: 350
  error_rate_budget: 0
  accuracy_budget: 0.8
model_evaluations: model_eval_all_info.yml
"""
PRICES = "pricing: {token_based: {amazon.titan-text-express-v1: {input-per-1k-tokens: 0.0002, output-per-1k-tokens: 0.0006}}}\n"


def call(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fmbench", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=False)


def imported(where: Path, text: str = OLD) -> tuple[dict[str, Any], str]:
    (where / "old.yml").write_text(text)
    done = call(where, "import-fmbench", "old.yml")
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout), done.stderr


def test_every_part_has_its_place(tmp_path: Path):
    (tmp_path / "pricing.yml").write_text(PRICES)
    new, _ = imported(tmp_path)
    assert new == {
        "name": "my-models-a-study",
        "output": "results",
        "models": [
            {"id": "amazon.titan-text-express-v1", "label": "fast", "api": "converse-stream"},
            {"id": "meta.llama3-8b-instruct-v1:0", "api": "converse"},
        ],
        "inference": {"max_tokens": 77, "temperature": 0.1, "top_p": 0.92},
        "dataset": {
            "source": "longbench",
            "tasks": ["hotpotqa", "qasper"],
            "languages": ["en"],
            "buckets": ["1-500", "3000-4000"],
            "prompts_per_bucket": 40,
        },
        "load": {"concurrency": [1, 2, 4]},
        "objectives": {"bucket": "en_3000-4000", "e2e_p95_s": 5.0, "usd_per_10k": 350.0, "error_rate": 0.01},
        "budget": {"max_requests": 20000},
        "quality": True,
        "pricing": {"amazon.titan-text-express-v1": {"input": 0.2, "output": 0.6}},
    }


@pytest.mark.parametrize(
    "said",
    [
        "old.yml:2 general.name: name: my-models-a-study",
        "old.yml:5 aws.region: left out",
        "old.yml:13 s3_read_data.scripts_prefix: stands twice",
        "LongBench-E's files (…_e) dropped",
        "payload_zh_10-90.jsonl dropped: no experiment sends it",
        "payload_en_5000-6000.jsonl dropped: no filter makes it",
        "'<your-provisioned-throughput-arn>' is a blank",
        "sagemaker_predictor.py is not Bedrock's",
        "their concurrency_levels differ: every model gets all of them",
        "objectives.error_rate: 0.01: no sample can show that there are never errors",
        "report.accuracy_budget: dropped: FMBench never read it",
        "prompt_template_file: dropped",
        "pricing: dropped: no such file is beside the configuration",
    ],
)
def test_what_was_done_and_dropped_is_said_with_its_line(said: str, notes: str):
    assert said in notes


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> str:
    return imported(tmp_path_factory.mktemp("notes"))[1]


def test_another_dataset_of_the_hub_keeps_its_columns(tmp_path: Path):
    text = OLD.replace("  - hotpotqa_e.jsonl\n  - hotpotqa.jsonl\n  - hf:THUDM/LongBench/qasper/test", "  - hf:org/set/sub/train")
    text = text.replace("[input, context]", "[question, passage]")
    text = text.replace("question_col_key: input", "question_col_key: question")
    new, _ = imported(tmp_path, text)
    columns = {"input": "question", "context": "passage", "answers": "answers"}
    found = {key: new["dataset"][key] for key in ("source", "repo", "subset", "split", "columns")}
    assert found == {"source": "huggingface", "repo": "org/set", "subset": "sub", "split": "train", "columns": columns}
    assert "quality" not in new


def test_the_result_plans_without_its_data_at_hand(tmp_path: Path):
    (tmp_path / "old.yml").write_text(OLD)
    assert call(tmp_path, "import-fmbench", "old.yml", "--to", "new.yml").stdout == "new.yml\n"
    command = [sys.executable, "-m", "fmbench", "new.yml", "--dry-run", "--set", "region=us-east-1"]
    from os import environ

    offline = {**environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(command, cwd=tmp_path, env=offline, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "prompts from the middle of their buckets" in done.stderr
    assert "en_3000-4000" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read"),
        ("models: []\n", "is no FMBench configuration"),
        ("experiments: [{ep_name: x, inference_script: sagemaker.py}]\n", "no experiment can be run on Bedrock"),
        (OLD.replace("[input, context]", "").replace("  question_col_key: input\n", "").replace("hotpotqa", "x"), "images alone"),
    ],
)
def test_what_cannot_be_converted_is_one_message(text: str, said: str, tmp_path: Path):
    (tmp_path / "old.yml").write_text(text)
    done = call(tmp_path, "import-fmbench", "old.yml")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr
