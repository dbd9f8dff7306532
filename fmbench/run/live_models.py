"""``fmbench-load models --live``: what this account can call in a region, as AWS says it."""

from __future__ import annotations

from fmbench.bedrock.account import Account, Unanswered
from fmbench.bedrock.catalogue import Listed, catalogue
from fmbench.bedrock.client import own_region
from fmbench.core.failures import ExitCode, Refused, UnusableInput
from fmbench.core.prices.book import PriceBook
from fmbench.run.lists import in_dollars, print_table
from fmbench.run.models_page import configurations_of_models
from fmbench.run.preflight.subject import CURES
from fmbench.run.say import say

MANY_REGIONS = 4
_COLUMNS = ("id to call", "how", "access", "streams", "end of life", "regions", "$ input / M", "$ output / M", "in configuration")


def list_live_models(word: str, region: str | None, account: Account | None = None) -> int:
    """Print the table. Raises ``UnusableInput`` without a region and for a word that is in no id, ``Refused`` where AWS does not
    say."""
    place = region or own_region()
    if place is None:
        raise UnusableInput("models --live: no region is known: give --region, or set AWS_REGION.")
    try:
        found = catalogue(account or Account(place), lambda model: word.lower() in model.lower())
    except Unanswered as error:
        cure = CURES.get(error.why, "Allow bedrock:ListFoundationModels and bedrock:ListInferenceProfiles, or check the network.")
        raise Refused(f"models --live: {place} does not say what there is: {error.message} {cure}") from error
    if not found.rows:
        raise UnusableInput(f'models --live: {place} lists no model with "{word}" in its id.')
    book, files = PriceBook({}, place), configurations_of_models()
    print_table(_COLUMNS, [_row(row, book, place, files) for row in found.rows], _COLUMNS[6:8])
    for sentence in found.unasked:
        say(sentence)
    say(f"As AWS lists it for this account in {place}. Models that bedrock-mantle alone serves are not on these lists.")
    return ExitCode.DONE


def _row(row: Listed, book: PriceBook, region: str, files: dict[str, list[str]]) -> tuple[str, ...]:
    ends = f"{row.ends:%Y-%m-%d}" if row.ends is not None else "legacy" if row.lifecycle == "LEGACY" else ""
    streams = "?" if row.streams is None else "yes" if row.streams else "no"
    shown = ", ".join(row.regions) if len(row.regions) <= MANY_REGIONS else f"{len(row.regions)} regions"
    dollars = in_dollars(book, row.id if not row.how.startswith("application") else row.base or row.id, region)
    return (row.id, row.how, row.access or "?", streams, ends, shown, *dollars, ", ".join(files.get(row.id, ())))
