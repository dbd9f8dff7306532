"""What the command line takes, refuses and loads."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmbench.cli import main
from fmbench.core.neutral import neutral

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("ssl", "boto3", "botocore", "gevent", "locust", "datasets", "pandas", "pyarrow", "matplotlib")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fmbench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", [[], ["report"], ["compare"], ["simulate"]])
def test_every_command_takes_help(command: list[str]):
    done = call(*command, "--help")
    assert done.returncode == 0
    assert "usage: fmbench-load" in done.stdout
    assert done.stderr == ""


def test_help_names_everything_that_the_contract_does():
    text = call("--help").stdout
    for word in [
        "--config",
        "--set",
        "--output",
        "--seed",
        "--dry-run",
        "--yes",
        "--processes",
        "--master",
        "--expect-workers",
        "--worker",
        "--master-host",
        "--web",
        "--web-port",
        "--resume",
        "report",
        "compare",
        "simulate",
    ]:
        assert re.search(rf"(?<![\w-]){word}(?![\w-])", text), word


def test_help_answers_at_once():
    def seconds() -> float:
        began = time.perf_counter()
        assert call("--help").returncode == 0
        return time.perf_counter() - began

    assert min(seconds() for _ in range(5)) < 0.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--config"),
        (["--config"], "--config"),
        (["--config", "a.yml", "--nonsense"], "--nonsense"),
        (["--config", "a.yml", "--seed", "x"], '"x" is not a whole number'),
        (["--config", "a.yml", "--seed", "-1"], "--seed"),
        (["--config", "a.yml", "--processes", "0"], "-1 for one a core"),
        (["--config", "a.yml", "--processes", "many"], "--processes"),
        (["--config", "a.yml", "--web", "--web-port", "65536"], "--web-port"),
        (["--config", "a.yml", "--web-port", "80"], "--web-port goes with --web"),
        (["--config", "a.yml", "--master", "--worker"], "--master and --worker"),
        (["--config", "a.yml", "--master", "--processes", "2"], "--master carries no users"),
        (["--config", "a.yml", "--expect-workers", "2"], "--expect-workers goes with --master"),
        (["--config", "a.yml", "--master-host", "h"], "--master-host goes with --worker"),
        (["--config", "a.yml", "--worker", "--web"], "--web"),
        (["--config", "a.yml", "--dry-run", "--resume", "x"], "--dry-run"),
        (["--conf", "a.yml"], "--config"),
        (["report"], "RUN"),
        (["compare", "a"], "RUN_B"),
        (["simulate", "--port", "x"], "--port"),
    ],
)
def test_unusable_arguments_are_said_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reprot", "x"], 'there is no command "reprot", did you mean "report"?'),
        (["help", "compair"], 'did you mean "compare"?'),
        (["--versoin"], 'there is no option "--versoin", did you mean "--version"?'),
        (["--config", "a.yml", "--dryrun"], 'did you mean "--dry-run"?'),
        (["-config", "a.yml"], 'did you mean "--config"?'),
        (["simulate", "--prot", "1"], 'did you mean "--port"?'),
        (["ecs", "run", "--wokers", "3"], 'did you mean "--workers"?'),
        (["a.yml", "--users", "5"], 'did you mean "--set load.concurrency=…"?'),
        (["a.yml", "--region", "us-west-2"], 'did you mean "--set region=…"?'),
        (["a.yml", "--max-usd", "2"], 'did you mean "--set budget.max_usd=…"?'),
        (["a.yml", "--results", "out"], 'did you mean "--output"?'),
        (["-c", "a.yml"], 'did you mean "--config"?'),
        (["a.yml", "-y"], 'did you mean "--yes"?'),
        (["-V"], 'did you mean "--version"?'),
        (["version"], 'did you mean "fmbench-load --version"?'),
        (["start", "a.yml"], 'did you mean "fmbench-load run"?'),
        (["list"], 'did you mean "fmbench-load runs"?'),
        (["a.yml", "--config", "b.yml"], "is given twice"),
        (["quickstrat.yml"], "fmbench-load init quickstart.yml --from quickstart writes it"),
        (["https://example.com/a.yml"], "has to be fetched first"),
        (["models", "zzz"], "--all looks through the price list too"),
        (["not-there.yml"], "not-there.yml: cannot be read"),
    ],
)
def test_what_is_mistyped_is_answered_with_the_nearest_right_one(arguments: list[str], said: str):
    done = call(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_a_path_that_is_no_configuration_is_answered_with_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "results" / "r1"
    run.mkdir(parents=True)
    for name in ("manifest.json", "summary.json", "report.html"):
        (run / name).write_text("{}")
    (tmp_path / "study.yml").write_text("models: []\n")
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    (tmp_path / "empty").mkdir()
    for given, said in (
        ("studdy.yml", 'did you mean "study.yml"?'),
        ("study.yaml", 'did you mean "study.yml"?'),
        ("study", 'did you mean "fmbench-load study.yml"?'),
        ("./", "give one of its files: study.yml"),
        ("./empty", "fmbench-load init writes a first one"),
        ("nothing/like-it.yml", "fmbench-load init writes a first one"),
        ("results/r1", "that is a run folder: fmbench-load report results/r1 shows it"),
        ("results/r1/report.html", "is a file of a run; its configuration is results/r1/config.yml"),
        ("results/r1/summary.json", "fmbench-load report results/r1 shows it"),
        ("rows.jsonl", "holds data, not a configuration; name it in one: dataset: {source: jsonl"),
    ):
        assert main([given]) == 2
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1) and said in told.err, given
    assert main(["report", "study.yml"]) == 2
    assert "is a file, and no run folder" in capsys.readouterr().err


def test_a_file_alone_is_a_configuration(tmp_path: Path):
    (tmp_path / "cfg.yml").write_text("models: [{id: amazon.nova-lite-v1:0}]\nsimulator: {}\ndataset: {prompts_per_bucket: 1}\n")
    alone, named = call(str(tmp_path / "cfg.yml"), "--dry-run"), call("--dry-run", "--config", str(tmp_path / "cfg.yml"))
    assert alone.returncode == 0
    assert alone.stdout == named.stdout


@pytest.mark.parametrize("command", ["report", "simulate", "run"])
def test_help_of_a_command_is_what_it_says_itself(command: str):
    assert call("help", command).stdout == call(command, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "not-there.yml"], "not-there.yml: cannot be read"),
        (["report", "not-there"], "is no run folder"),
        (["compare", "not-there", "nor-there"], "is no run folder"),
        (["simulate", "--config", "not-there.yml"], "cannot be read"),
    ],
)
def test_files_that_are_not_there_are_unusable(arguments: list[str], said: str):
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_when_all_is_done_changes_no_status(number: signal.Signals):
    """It comes where a program puts itself away: between its last word and the end of the process."""
    late = f"atexit.register(lambda: os.kill(os.getpid(), {int(number)}))"
    code = f"import atexit, os, sys; {late}; from fmbench.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, "configs"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "quickstart" in done.stdout) == (0, True), done.stderr


def test_nothing_heavy_is_loaded_to_refuse_a_configuration(tmp_path: Path):
    (tmp_path / "cfg.yml").write_text("models: []\n")
    code = "import sys; from fmbench.cli import main; s = main(sys.argv[1:]); print(s, *sys.modules)"
    command = [sys.executable, "-c", code, "--config", str(tmp_path / "cfg.yml"), "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    status, *modules = done.stdout.split()
    assert status == "2"
    assert {module.partition(".")[0] for module in modules}.isdisjoint(HEAVY)


def test_a_fault_of_the_program_is_one_line_and_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def broken(address: str, output: str | None, drawing: object) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr("fmbench.run.stored.report", broken)
    assert main(["report", "x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    found = re.search(r"RuntimeError: a bug\. The traceback is in (\S+)\.$", line)
    assert found is not None
    path = Path(found[1])
    assert "in broken" in path.read_text()
    path.unlink()


def test_the_version_is_said():
    from fmbench import __version__

    assert call("--version").stdout == f"fmbench-load {__version__}\n"


@pytest.mark.parametrize("output", ["s3://B/x", "s3://bucket/../x", "s3://bucket#1/x", "a\x00b"])
def test_a_dry_run_refuses_an_output_that_nothing_can_be_written_to(
    tmp_path: Path, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cfg.yml").write_text("models: [{id: amazon.nova-lite-v1:0}]\nsimulator: {}\n")
    assert main(["--config", str(tmp_path / "cfg.yml"), "--dry-run", "--output", output]) == 2
    assert neutral(output) in capsys.readouterr().err
