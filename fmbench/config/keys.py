"""The keys of a configuration: those of a section, and where a key stands that was looked for elsewhere."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel

from fmbench.config.faults import Path
from fmbench.config.other_names import right_name
from fmbench.config.schema import Config


def known_keys(path: Path) -> list[str]:
    """The keys that the section at ``path`` may have."""
    annotation: Any = Config
    for step in path:
        model = _model_in(annotation)
        if model is not None and step in model.model_fields:
            annotation = model.model_fields[str(step)].annotation
    model = _model_in(annotation)
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation speaks of: itself, or within Optional, list, dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        model = _model_in(part)
        if model is not None:
            return model
    return None


def sections_with(key: str) -> str | None:
    """The section that does have ``key``: it may only stand at the wrong depth."""
    if key in Config.model_fields:
        return "the top of the file"
    for name, info in Config.model_fields.items():
        model = _model_in(info.annotation)
        meant = None if model is None else key if key in model.model_fields else right_name(key, list(model.model_fields))
        if meant is not None:
            return f"{name}:" if meant == key else f'{name}:, as "{meant}"'
    return None


def key_called(word: str) -> str | None:
    """The key that ``word`` is, or is another name of, as ``--set`` takes it: ``load.concurrency`` for ``users``."""
    sections = {name: _model_in(info.annotation) for name, info in Config.model_fields.items()}
    fields = {name: list(model.model_fields) for name, model in sections.items() if model is not None and name != "models"}
    if word in sections:
        return word
    own = next((f"{name}.{word}" for name, keys in fields.items() if word in keys), None)
    meant = right_name(word, list(sections))
    inside = ((name, right_name(word, keys)) for name, keys in fields.items())
    return own or meant or next((f"{name}.{key}" for name, key in inside if key is not None), None)
