"""What a section is: a title and its blocks, made of the study and the pictures that were drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fmbench.report.blocks import Block, Figure, Fold
from fmbench.report.picture import Picture
from fmbench.report.study import Study


@dataclass(frozen=True)
class Drawn:
    """A picture, and the section that shows it."""

    picture: Picture
    section: str
    part: int = 1
    """Of a chart that takes several pictures: which one it is."""


@dataclass(frozen=True)
class Material:
    """What sections are made of. ``missing`` names charts that could not be drawn, with the reason."""

    study: Study
    pictures: Mapping[str, Drawn]
    missing: Mapping[str, str]
    config_text: str | None

    def pictures_of(self, section: str) -> list[Block | None]:
        """Every picture that a section shows, in the charts' order; the further parts of one open on a click."""
        return [
            Figure(name, drawn.picture) if drawn.part == 1 else Fold(drawn.picture.title, (Figure(name, drawn.picture),))
            for name, drawn in self.pictures.items()
            if drawn.section == section
        ]


@dataclass(frozen=True)
class Section:
    """One part of the page; without blocks it is left out. A ``title`` with ``{levels}`` says what the study's levels are."""

    title: str
    blocks: Callable[[Material], list[Block | None]]

    def titled(self, study: Study) -> str:
        """Its title: latency against users, or against requests a minute."""
        return self.title.replace("{levels}", study.load_words)
