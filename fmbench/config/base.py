"""The base of every configuration model: unknown keys are errors, types are not coerced, values do not change."""

from __future__ import annotations

from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, GetPydanticSchema
from pydantic_core import core_schema


class Strict(BaseModel):
    """A section of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


def one_of(names: tuple[str, ...]) -> Any:
    """An annotation for text that has to be one of ``names``: a ``Literal`` whose words come from a registry."""
    return GetPydanticSchema(lambda _source, _handler: core_schema.literal_schema(list(names)))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that are not printable, or that turn the direction of writing: leave them out")
    return text


PRINTABLE = AfterValidator(_printable)
"""Of text that reports and terminals show."""


def distinct(items: list[Any]) -> list[Any]:
    """``items``, of which none may be there twice."""
    if len({str(item) for item in items}) < len(items):
        raise ValueError("has the same entry twice: leave one out")
    return items
