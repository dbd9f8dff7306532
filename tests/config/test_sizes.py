"""Files and numbers that no configuration has are refused at once: in one message, before anything is made of them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from fmbench.config.load import load_config, parse_config
from fmbench.core.failures import UnusableInput

MODELS = "models: [{id: amazon.nova-lite-v1:0}]\n"


def refusal(text: str) -> str:
    with pytest.raises(UnusableInput) as caught:
        parse_config(text, "cfg.yml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models:\n" + "".join(f"- id: amazon.nova-lite-v{n}:0\n" for n in range(90_000)), "is larger than 1 MB"),
        ("models:\n" + "".join(f"- id: m{n}\n" for n in range(20_000)), "more than 12,000 keys and values"),
        ("models:\n" + "".join(f"- id: m{n}\n" for n in range(2_000)), "models"),
        ("\n" * 1_500_000 + MODELS, "is larger than 1 MB"),
        (MODELS + "load: {repeats: 1e9}\n", "load.repeats"),
        (MODELS + "load: {repeats: 1000000000}\n", "write 10000 or less"),
        (MODELS + "load: {min_requests: 100000000000}\n", "load.min_requests"),
        (MODELS + "load: {duration_s: 1e300}\n", "write 604800 or less"),
        (MODELS + "dataset: {prompts_per_bucket: 1000000000}\n", "dataset.prompts_per_bucket"),
        (MODELS + 'dataset: {buckets: ["1-99999999999"]}\n', "is longer than any prompt"),
        (MODELS + "inference: {max_tokens: 100000000000}\n", "inference.max_tokens"),
        (MODELS + "pricing: {m: {input: 1e308, output: 1}}\n", "is too large"),
        (MODELS + "traffic: {requests_per_day: 1e300}\n", "is too large"),
        (MODELS + "simulator: {profile: {ttft_s: 1e300}}\n", "is too large"),
    ],
)
def test_what_is_too_much_is_refused_in_short(text: str, said: str):
    began = time.process_time()
    message = refusal(text)
    assert said in message
    assert len(message) < 10_000
    assert time.process_time() - began < 2.0


def test_the_product_of_what_may_be_each_is_bounded():
    text = "models: [" + ", ".join(f"{{id: m{n}}}" for n in range(100)) + "]\nload: {repeats: 100, concurrency: [1, 2, 3]}\n"
    assert "makes 150,000 cells (100 models × 1 languages × 5 buckets × 3 levels × 100 repeats)" in refusal(text)


def test_of_thousands_of_faults_fifty_are_shown():
    lines = refusal("".join(f"k{n}: 1\n" for n in range(3_000)) + MODELS).splitlines()
    assert len(lines) == 52
    assert lines[-1] == "  and 2950 more"


@pytest.mark.parametrize("text", ["extends: {}\n" + MODELS, "extends: [{}, {}]\n" + MODELS])
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path, text: str):
    pipe, file = tmp_path / "pipe.yml", tmp_path / "cfg.yml"
    os.mkfifo(pipe)
    file.write_text(text.replace("{}", str(pipe)) if "{" in text[:14] else text)
    for address in (pipe, file):
        with pytest.raises(UnusableInput, match="nobody writes to"):
            load_config(str(address))


def test_a_pipe_that_is_written_to_is_read(tmp_path: Path):
    pipe = tmp_path / "pipe.yml"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(MODELS,))
    writer.start()
    assert load_config(str(pipe)).config.models[0].id == "amazon.nova-lite-v1:0"
    writer.join()


@pytest.mark.parametrize("address", ["/dev/zero", "/dev/urandom"])
def test_a_device_without_an_end_is_too_large(address: str):
    with pytest.raises(UnusableInput, match="is larger than 1 MB"):
        load_config(address)


def test_files_that_extend_each_other_many_times_over_are_few_faults(tmp_path: Path):
    file = tmp_path / "cfg.yml"
    file.write_text("extends: [cfg.yml, cfg.yml, cfg.yml]\n" + MODELS)
    with pytest.raises(UnusableInput, match=r"circle|64 files") as caught:
        load_config(str(file))
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("key", ["template_file", "path"])
def test_a_pipe_as_data_or_template_is_refused_before_it_is_opened(tmp_path: Path, key: str):
    from fmbench.prompts.sources import CHECKS

    os.mkfifo(tmp_path / "pipe")
    text = MODELS + f"dataset: {{source: longbench, {key}: {tmp_path / 'pipe'}}}\n"
    with pytest.raises(UnusableInput, match=f"dataset.{key}"):
        parse_config(text, "cfg.yml", checks=CHECKS)
