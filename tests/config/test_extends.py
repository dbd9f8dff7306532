"""``extends:``: sections merge key by key, lists and nulls replace, faults name the file and line that they stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from fmbench.config.load import load_config, parse_config
from fmbench.core.failures import UnusableInput


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text)
    return folder / f"{next(iter(files))}.yml"


def test_sections_merge_and_lists_replace(tmp_path: Path) -> None:
    base = "models: [{id: a}, {id: b}]\ninference: {max_tokens: 9, temperature: 0.5}\nload: {concurrency: [1, 2], warmup_s: 3}"
    child = "extends: base.yml\nmodels: [{id: c}]\ninference: {temperature: null}\nload: {concurrency: [7]}"
    config = load_config(str(write(tmp_path, child=child, base=base))).config
    assert [model.id for model in config.models] == ["c"]
    assert (config.inference.max_tokens, config.inference.temperature) == (9, None)
    assert (config.load.concurrency, config.load.warmup_s) == ([7], 3)


def test_of_several_the_later_wins_and_they_may_extend_others(tmp_path: Path) -> None:
    files = {
        "child": "extends: [one.yml, two.yml]\nmodels: [{id: a}]",
        "one": "seed: 1\nname: one\nextends: root.yml",
        "two": "seed: 2",
        "root": "region: eu-west-1\nname: root",
    }
    config = load_config(str(write(tmp_path, **files))).config
    assert (config.seed, config.name, config.region) == (2, "one", "eu-west-1")


def test_a_section_left_empty_takes_all_of_what_it_extends(tmp_path: Path) -> None:
    path = write(tmp_path, child="extends: base.yml\nmodels: [{id: a}]\nload:\n", base="load: {warmup_s: 3}")
    assert load_config(str(path)).config.load.warmup_s == 3


def test_a_shipped_configuration_goes_by_its_name() -> None:
    config = parse_config("extends: nova\nmodels: [{id: a}]\nseed: 3", "anywhere/cfg.yml").config
    assert (config.name, config.seed, config.load.duration_s) == ("nova", 3, 30)


def test_what_comes_later_is_put_over_it(tmp_path: Path) -> None:
    path = write(tmp_path, child="extends: base.yml\nmodels: [{id: a}]", base="load: {warmup_s: 3, duration_s: 4}")
    config = load_config(str(path), ["load.warmup_s=1"]).config
    assert (config.load.warmup_s, config.load.duration_s) == (1, 4)


def test_a_fault_is_named_where_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, child="extends: base.yml\nmodels: [{id: a}]", base="region: eu-west-1\nload: {warmup: 3}")
    with pytest.raises(UnusableInput, match=r"base\.yml:2: load\.warmup"):
        load_config(str(path))


@pytest.mark.parametrize("name", ["nowhere.yml", "no-such-study", "child.yml", "[1]"])
def test_what_cannot_be_extended_is_one_fault(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, child=f"extends: {name}\nmodels: [{{id: a}}]")
    with pytest.raises(UnusableInput, match=r"child\.yml:1: extends"):
        load_config(str(path))


def test_what_a_run_stores_extends_nothing(tmp_path: Path) -> None:
    from fmbench.config.load import resolved_yaml

    config = parse_config("extends: study\nmodels: [{id: a}]", "cfg.yml").config
    assert "extends" not in resolved_yaml(config)
