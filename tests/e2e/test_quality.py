"""Quality from end to end: answers are scored, the cheapest nonsense does not win, and without quality no answer is kept."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from scipy import stats

from fmbench.core.synthetic_tasks import solve
from fmbench.run.quality import score_answers
from fmbench.storage.reader import LocalRun
from fmbench.storage.runfolder import RunFolder
from tests.e2e.commands import ROOT, Desk, Ended, files_of, small_config, wait_until
from tests.support.emulators import objects

pytestmark = pytest.mark.slow

CHEAP, DEAR = "us.amazon.nova-lite-v1:0", "us.meta.llama3-3-70b-instruct-v1:0"
ACCURACY = {"nova": 0.2, "llama": 0.95}
ENDPOINT = {
    "profile": {"ttft_s": 0.02, "tpot_s": 0.0005},
    "models": {CHEAP: {"accuracy": ACCURACY["nova"]}, DEAR: {"accuracy": ACCURACY["llama"]}},
}


def study(**sections: Any) -> dict[str, Any]:
    """Two models; nova costs a tenth of llama and is mostly wrong."""
    scored: dict[str, Any] = {
        "quality": True,
        "inference": {"max_tokens": 24},
        "dataset": {"buckets": ["300-600"], "prompts_per_bucket": 80},
        "load": {"concurrency": [4], "warmup_s": 0.3, "duration_s": 1, "min_requests": 120},
        "objectives": {"quality_min": 0.6},
    }
    return small_config(**(scored | sections))


def answers_of(run: Path) -> pd.DataFrame:
    lines = [json.loads(line) for path in sorted((run / "answers").glob("*.jsonl")) for line in path.read_text().splitlines()]
    return pd.DataFrame(lines)


def scored(ended: Ended) -> pd.DataFrame:
    """Every record with the score of its answer."""
    scores = pd.read_parquet(ended.run / "scores")
    return ended.records().merge(scores.drop(columns="prompt_id"), on=["worker", "user", "seq"], how="left", validate="1:1")


def test_a_dear_model_that_is_right_wins_over_a_cheap_one_that_is_not(desk: Desk, endpoint_of: Any):
    endpoint_of(ENDPOINT)
    ended = desk.run(study())
    assert ended.status == 0, ended.stderr
    summary = ended.json("summary.json")
    cells = {cell["model"]: cell for cell in summary["cells"]}
    assert cells["nova"]["usd_per_10k"] < cells["llama"]["usd_per_10k"]
    assert summary["recommendation"]["model"] == "llama"
    assert cells["nova"]["meets_objectives"] is False

    rows = scored(ended)
    for model, accuracy in ACCURACY.items():
        counted = rows[(rows.model == model) & (rows.phase == "measure") & (rows.outcome == "ok")]
        found = cells[model]["quality"]
        assert found["n"] == len(counted) >= 120
        assert found["prompts"] == counted.prompt_id.nunique()
        assert found["value"] == pytest.approx(counted.quality.mean())
        assert set(counted.quality) <= {0.0, 1.0}
        low, high = stats.binomtest(int(counted.quality.sum()), len(counted)).proportion_ci(0.999, method="exact")
        assert low <= accuracy <= high
        assert found["ci95"][0] < found["value"] < found["ci95"][1]
        assert {name: part["n"] for name, part in found["metrics"].items()} == counted.metric.value_counts().to_dict()

    page = (ended.run / "report.md").read_text()
    assert "Quality" in page and "retrieval" in page and f"{cells['llama']['quality']['value']:.3g}" in page


def test_an_answer_is_right_when_it_says_what_follows_from_its_prompt(desk: Desk, endpoint_of: Any):
    endpoint_of(ENDPOINT)
    ended = desk.run(study())
    prompts = [json.loads(line) for path in (ended.run / "prompts").glob("*.jsonl") for line in path.read_text().splitlines()]
    solutions = {prompt["prompt_id"]: solve(prompt["text"]) for prompt in prompts}
    rows = scored(ended).merge(answers_of(ended.run), on=["worker", "user", "seq"], validate="1:1", suffixes=("", "_asked"))
    assert len(rows) == len(ended.records())
    assert (rows.prompt_id == rows.prompt_id_asked).all()
    said = [solutions[asked] == text.split("\n")[0] for asked, text in zip(rows.prompt_id, rows.text, strict=True)]
    assert [float(right) for right in said] == list(rows.quality)


def test_the_report_of_a_scored_run_is_the_same_again_with_and_without_its_answers(desk: Desk, endpoint_of: Any):
    endpoint_of(ENDPOINT)
    ended = desk.run(study(load={"concurrency": [4], "warmup_s": 0, "duration_s": 1, "min_requests": 0}))
    before = files_of(ended.run)
    again = desk.call("report", str(ended.run))
    assert again.status == 0, again.stderr
    assert files_of(ended.run) == before
    shutil.rmtree(ended.run / "scores")
    assert desk.call("report", str(ended.run)).status == 0
    assert files_of(ended.run) == before, "scores follow from the answers"
    shutil.rmtree(ended.run / "answers")
    assert desk.call("report", str(ended.run)).status == 0
    kept = {name: data for name, data in before.items() if not name.startswith("answers/")}
    assert files_of(ended.run) == kept


def test_without_quality_no_answer_is_kept_anywhere(desk: Desk, endpoint_of: Any):
    endpoint_of({"profile": {"ttft_s": 0.02, "tpot_s": 0.0005, "accuracy": 1.0}})
    load = {"concurrency": [2], "warmup_s": 0, "duration_s": 0.5, "min_requests": 0}
    with_text = desk.run(study(load=load, objectives={}))
    said = answers_of(with_text.run).text.str.split("\n").str[1].iloc[0][:30].encode()
    assert len(said) > 10 and any(said in data for data in files_of(with_text.run).values())
    plain = desk.run(study(load=load, objectives={}, quality=False))
    files = files_of(plain.run)
    assert not [name for name in files if name.startswith(("answers", "scores"))]
    assert not [name for name, data in files.items() if said in data]
    assert plain.json("summary.json")["cells"][0]["quality"] is None


def test_a_resumed_run_scores_what_is_new(desk: Desk, endpoint_of: Any):
    endpoint = endpoint_of(ENDPOINT)
    config = study(load={"concurrency": [2, 3], "warmup_s": 0, "duration_s": 3, "min_requests": 0}, objectives={})
    command = desk.start_run(config)
    wait_until(lambda: any('"complete"' in path.read_text() for path in desk.results.glob("*/cells.jsonl")), 120)
    wait_until(lambda: endpoint.counts()["in_flight"] > 0)
    command.process.send_signal(signal.SIGINT)
    first = command.ended()
    assert first.status == 130, first.stderr
    before = {name: data for name, data in files_of(first.run).items() if name.startswith("scores/")}
    assert before
    second = desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", first.run.name)
    assert second.status == 0, second.stderr
    after = files_of(second.run)
    assert {name: after[name] for name in before} == before
    rows = scored(second)
    assert rows.quality.notna().all() and rows.worker.nunique() == 2


@pytest.mark.aws_emulator
def test_answers_and_scores_of_a_run_on_s3(desk: Desk, endpoint_of: Any, aws_server: str):
    endpoint_of(ENDPOINT)
    desk.variables.update(AWS_ENDPOINT_URL_S3=aws_server, AWS_REGION="us-east-1")
    load = {"concurrency": [3], "warmup_s": 0, "duration_s": 1, "min_requests": 0}
    ended = desk.call("--config", desk.write(study(load=load)), "--output", "s3://bucket/scored")
    assert ended.status == 0, ended.stderr
    prefix = ended.address.removeprefix("s3://bucket/") + "/"
    before = objects(aws_server, "bucket", prefix)
    assert {name.split("/")[0] for name in before} >= {"answers", "scores", "records"}
    assert desk.call("report", ended.address).status == 0
    assert objects(aws_server, "bucket", prefix) == before


def stored_answers(folder: Path, count: int) -> LocalRun:
    """A run folder with one summarising prompt and ``count`` different answers to it, and one that was cut off in the file."""
    words = [f"w{number}" for number in range(400)]
    prompt = {"prompt_id": "p", "text": "…", "tokens": 1, "dataset": "multi_news", "language": "en", "answers": [" ".join(words)]}
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts/payload_en_1-500.jsonl").write_text(json.dumps(prompt | {"all_classes": None}) + "\n")
    lines = [
        {"worker": "local", "user": 0, "seq": number, "prompt_id": "p", "text": " ".join(words[: number % 400 + 1])}
        for number in range(count)
    ]
    (folder / "answers").mkdir()
    (folder / "answers/local.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"worker": "lo')
    return LocalRun(RunFolder(folder))


def test_many_answers_are_scored_in_many_processes_as_in_one(tmp_path: Path):
    run = stored_answers(tmp_path / "run", 900)
    score_answers(run)
    scores = run.scores()
    assert scores is not None and list(scores.seq) == [*range(900)] and set(scores.metric) == {"rouge_l"}
    # the first n of 400 words: precision 1, recall n / 400
    shares = [(number % 400 + 1) / 400 for number in range(900)]
    assert list(scores.quality) == pytest.approx([2 * share / (1 + share) for share in shares], abs=1e-6)


def test_processes_that_score_end_with_the_one_that_started_them(tmp_path: Path):
    stored_answers(tmp_path / "run", 900)
    code = (
        "import sys\nfrom pathlib import Path\nfrom fmbench.run.quality import score_answers\n"
        "from fmbench.storage.reader import LocalRun\nfrom fmbench.storage.runfolder import RunFolder\n"
        f"score_answers(LocalRun(RunFolder(Path({str(tmp_path / 'run')!r}))))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    children = wait_until(lambda: psutil.Process(process.pid).children(recursive=True), 120)
    process.kill()
    process.wait()
    wait_until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 30)
    assert not (tmp_path / "run/scores/local.parquet").exists()
