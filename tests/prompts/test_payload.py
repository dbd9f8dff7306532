"""Payload files: a line a prompt whatever it holds, the same prompts back, and nothing heavy loaded to read them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from fmbench.core.records import Prompt
from fmbench.prompts import payload

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))

PROMPTS = st.lists(
    st.builds(
        Prompt,
        prompt_id=ANY_TEXT,
        text=ANY_TEXT,
        tokens=st.integers(0, 10**6),
        dataset=ANY_TEXT,
        language=st.sampled_from(["en", "zh"]),
        answers=st.lists(ANY_TEXT, max_size=3),
        all_classes=st.none() | st.lists(ANY_TEXT, max_size=3),
    ),
    max_size=5,
)


@given(PROMPTS)
def test_what_is_written_is_read_back_and_each_prompt_is_one_line(prompts: list[Prompt]):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "payload_en_1-2.jsonl"
        digest = payload.write(path, prompts)
        assert payload.load(path) == prompts
        content = path.read_bytes()
    assert digest == hashlib.sha256(content).hexdigest()
    assert len(content.decode().splitlines()) == len(prompts), "even for a reader that breaks lines at U+2028 or U+0085"


def test_a_line_is_plain_json_with_the_contract_s_keys(tmp_path: Path):
    path = tmp_path / "payload_zh_1-2.jsonl"
    payload.write(path, [Prompt(prompt_id="a", text="你好\n\0\u2028{context}", tokens=5, dataset="d", language="zh")])
    line = json.loads(path.read_text(encoding="utf-8"))
    assert {name: line[name] for name in ("prompt_id", "text", "tokens", "dataset", "language")} == {
        "prompt_id": "a",
        "text": "你好\n\0\u2028{context}",
        "tokens": 5,
        "dataset": "d",
        "language": "zh",
    }


def test_the_salt_is_at_the_very_start_and_the_text_whole_after_it():
    text = payload.salted("Once upon a time", "0" * payload.SALT_LENGTH)
    assert text.endswith("Once upon a time")
    assert text.index("0" * payload.SALT_LENGTH) < 10


def test_salts_are_as_long_as_promised_and_differ_between_requests():
    salts = {payload.salt_of("run", "worker", user, seq) for user in range(30) for seq in range(300)}
    assert len(salts) == 9000
    assert {len(salt) for salt in salts} == {payload.SALT_LENGTH}
    assert all(salt.isdigit() for salt in salts)
    assert payload.salt_of("run", "worker", 1, 2) == payload.salt_of("run", "worker", 1, 2)
    assert payload.salt_of("a", "bc") != payload.salt_of("ab", "c")


def test_a_load_process_that_reads_prompts_loads_nothing_heavy():
    code = (
        "import sys, fmbench.prompts.payload; "
        "print(sorted({'datasets', 'pandas', 'pyarrow', 'numpy', 'pydantic', 'boto3', 'rs_bpe'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
