"""A stored run's records as the summary reads them, with the scores of the answers where they were kept."""

from __future__ import annotations

import pandas as pd

from fmbench.core.records import COLUMNS as RECORD_COLUMNS
from fmbench.core.table import COLUMNS, SCORED_BY, Table, read
from fmbench.run.quality import score_answers
from fmbench.storage.reader import LocalRun
from fmbench.storage.scores import IDENTITY


def records_of(run: LocalRun) -> pd.DataFrame:
    """The columns that ``core.summary`` reads; and, with ``quality: true``, the score and metric of each answer, joined to them.

    Answers that have no scores yet are scored first.
    """
    wanted = [name for name in COLUMNS if name in RECORD_COLUMNS]
    score_answers(run)
    scores = run.scores()
    if scores is None:
        return run.compact_records(wanted)
    asked = dict.fromkeys([*wanted, *IDENTITY, *(name for name in SCORED_BY if name in RECORD_COLUMNS)])
    return run.compact_records([*asked]).merge(scores, how="left", on=[*IDENTITY], validate="one_to_one")


def table_of(run: LocalRun) -> Table:
    """The same as the table that figures are of: read as figures ask for it, so that a run of any size fits, but for runs with
    scores."""
    score_answers(run)
    return run.table() if run.scores() is None else read(records_of(run))
