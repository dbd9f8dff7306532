"""The ``objectives`` section: a key for every figure that a limit can be set on, derived from the registry of figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails

from fmbench.config.base import Strict
from fmbench.core.figures.figure import Figure, UnknownFigure
from fmbench.core.figures.registry import OBJECTIVES, of_objective

Seconds = Annotated[float, Field(gt=0, le=604_800)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e12)]

BOUNDS: dict[str, Any] = {"seconds": Seconds, "share": Share, "positive": Positive}


class _Base(Strict):
    """What a good answer has to be, and what decides between models that are good enough."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Seconds | None] = Field(init=False)
    """Percentiles of latencies other than the usual ones: ``ttft_p75_s``, ``e2e_p99.9_s``."""

    bucket: str | None = None
    prefer: Literal["cost", "latency", "throughput"] = "cost"

    @model_validator(mode="wrap")
    @classmethod
    def _extra_keys_are_percentiles(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        keys = data if isinstance(data, dict) else {}
        unknown = [key for key in keys if key not in cls.model_fields and not _is_objective(str(key))]
        if not unknown:
            return handler(data)
        faults = [InitErrorDetails(type="extra_forbidden", loc=(key,), input=keys[key]) for key in unknown]
        raise ValidationError.from_exception_data(cls.__name__, [*faults, *_faults_of(handler, keys, unknown)])

    @property
    def limited(self) -> Iterator[Figure]:
        """The figures that have a limit."""
        for name, limit in self.model_dump(exclude={"bucket", "prefer"}).items():
            if limit is not None:
                yield of_objective(name)


def _faults_of(handler: ModelWrapValidatorHandler[Any], data: dict[str, Any], unknown: list[str]) -> list[InitErrorDetails]:
    """What is wrong with the keys that are known."""
    try:
        handler({key: value for key, value in data.items() if key not in unknown})
    except ValidationError as error:
        found = error.errors(include_url=False)
        return [InitErrorDetails(type=one["type"], loc=one["loc"], input=one["input"], ctx=one.get("ctx", {})) for one in found]
    return []


def _is_objective(key: str) -> bool:
    try:
        of_objective(key)
    except UnknownFigure:
        return False
    return True


def _key_of(figure: Figure) -> Any:
    annotation = BOUNDS[figure.bound]
    return (annotation if figure.default is not None else annotation | None, figure.default)


if TYPE_CHECKING:

    class Objectives(_Base):
        """What a good answer has to be, and what decides between models that are good enough."""

else:
    Objectives = create_model("Objectives", __base__=_Base, **{name: _key_of(figure) for name, figure in OBJECTIVES.items()})
