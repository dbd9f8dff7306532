"""Records read compactly are the records: held against pandas' own reading of the same files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmbench.core.records import COLUMNS
from fmbench.core.table import COLUMNS as SUMMARY_COLUMNS
from fmbench.storage.reader import open_run
from tests.report.support import HAIKU, LLAMA, NOVA, MadeRun, Study, make, store

SIMPLE = [name for name in COLUMNS if name != "content_s"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of several parts, with nulls in every kind of column."""
    made = make(Study(models=(LLAMA, NOVA, HAIKU), requests=4_000))
    made.frame.loc[::7, "prompt_tokens"] = None
    made.frame.loc[::5, "usd"] = np.nan
    path = tmp_path_factory.mktemp("compact") / "run"
    store(made, path)
    return path


def test_every_column_has_the_same_values(folder: Path):
    whole = pd.read_parquet(folder / "records", columns=SIMPLE)
    compact = open_run(str(folder)).compact_records(SIMPLE)
    assert list(compact.columns) == SIMPLE
    assert len(list((folder / "records").iterdir())) > 1
    for name in SIMPLE:
        if isinstance(compact[name].dtype, pd.CategoricalDtype):
            assert list(compact[name].cat.categories) == sorted(whole[name].dropna().unique())
            pd.testing.assert_series_equal(compact[name].astype("str"), whole[name].astype("str"))
        else:
            np.testing.assert_array_equal(compact[name].to_numpy(dtype=float), whole[name].to_numpy(dtype=float, na_value=np.nan))


def test_whole_numbers_stay_whole_where_none_is_null(folder: Path):
    compact = open_run(str(folder)).compact_records(["cell", "seq", "prompt_tokens"])
    assert [str(kind) for kind in compact.dtypes] == ["int64", "int64", "float64"]


def test_a_run_without_requests_has_the_columns(tmp_path: Path):
    made = make(Study(requests=20))
    store(MadeRun(made.frame.iloc[:0], made.manifest, [], made.beats), tmp_path / "run")
    compact = open_run(str(tmp_path / "run")).compact_records(SUMMARY_COLUMNS)
    assert list(compact.columns) == list(SUMMARY_COLUMNS)
    assert len(compact) == 0


def test_it_takes_a_tenth_of_the_memory_of_text(folder: Path):
    names = ["model", "bucket", "phase", "outcome", "failure"]
    text = pd.read_parquet(folder / "records", columns=names).astype(object).memory_usage(deep=True).sum()
    assert open_run(str(folder)).compact_records(names).memory_usage(deep=True).sum() < text / 10
