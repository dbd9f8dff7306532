"""A page as report.md (for GitHub) and as report.html (one file with everything in it, that needs no network)."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from importlib import resources
from itertools import count
from typing import Any

import jinja2
import plotly.offline
from markdown_it import MarkdownIt
from markupsafe import Markup

from fmbench.core.neutral import visible
from fmbench.report import style
from fmbench.report.blocks import Block, Figure, Page, Table
from fmbench.report.picture import Key, keys_of
from fmbench.report.plotly_panel import plotly_figure

_INLINE = MarkdownIt("commonmark", {"html": False})
_INTERVAL = re.compile(r" (\([^()]*\))")
"""What stands in brackets behind a number: it may go to the next line, but not be parted."""
_UNIT = re.compile(r"(\d) (%|(?:ms|s)\b)")
"""A number and its unit, which a line's end must not part."""


def markdown(page: Page) -> str:
    """report.md: pictures by relative path, tables in GitHub's own dialect."""
    return _environment().get_template("report.md.j2").render(page=page)


def html(page: Page) -> str:
    """report.html: style, data, pictures' program and all in one file."""
    figures: dict[str, Any] = {}
    numbers = count(1)

    def places(figure: Figure) -> list[str]:
        """Registers the figure's panels and names the places they go to."""
        names = [f"figure-{next(numbers)}" for _ in figure.picture.panels]
        figures.update(zip(names, map(plotly_figure, figure.picture.panels), strict=True))
        return names

    template = _environment().get_template("report.html.j2")
    library = plotly.offline.get_plotlyjs
    return template.render(page=page, places=places, figures=figures, as_script=_as_script, plotly=library)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        inline=_inline,
        held=_held,
        pipes=_pipes,
        kind=_kind,
        rule=_rule,
        keys=keys_of,
        swatch=_swatch,
        fence=_fence,
        slug=_slug,
        shown=_shown,
        visible=visible,
    )
    return environment


def _template(name: str) -> str:
    return (resources.files("fmbench.report") / "templates" / name).read_text(encoding="utf-8")


def _inline(words: str) -> str:
    """Markdown of one paragraph as HTML; what looks like HTML in it is shown, not obeyed."""
    return Markup(_INLINE.renderInline(_UNIT.sub("\\1\u202f\\2", visible(words))))


def _shown(words: str) -> str:
    """A picture's words in Markdown: none of them is HTML."""
    return visible(words).replace("<", "&lt;")


def _held(cell: str) -> str:
    return Markup(_INTERVAL.sub(r" <span>\1</span>", str(cell)))


def _pipes(words: str) -> str:
    return " ".join(words.splitlines()).replace("|", "\\|")


def _slug(title: str) -> str:
    """The place that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _rule(table: Table) -> str:
    return "|" + "|".join("---:" if align == "right" else "---" for align in table.aligns) + "|"


def _fence(words: str) -> str:
    fence = "```"
    while fence in words:
        fence += "`"
    return fence


def _as_script(value: Any) -> str:
    """JSON that may stand inside a script element."""
    written = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(written.replace("</", "<\\/").replace("<!--", "<\\!--"))


def _swatch(key: Key) -> str:
    """A legend's sign as a small drawing: the line, the marker or the patch."""
    look = key.look
    if key.kind in ("shade", "bars"):
        shape = f'<rect x="4" y="2" width="22" height="10" fill="{look.colour}" stroke="#B8C0C8" stroke-width="0.5"/>'
    else:
        dash = {"dash": "6 3", "dashdot": "7 3 2 3", "dot": "2 2", "longdash": "10 3"}.get(look.dash, "")
        line = f'<line x1="1" y1="7" x2="29" y2="7" stroke="{look.colour}" stroke-width="2.4" stroke-dasharray="{dash}"/>'
        ring = f'<circle cx="15" cy="7" r="5.4" fill="none" stroke="{look.colour}" stroke-width="1.4"/>'
        shape = ring if key.kind == "ring" else (line if key.kind == "line" else "") + (_marker(look) if key.markers else "")
    return Markup(f'<svg width="30" height="14" aria-hidden="true">{shape}</svg>')


_SHAPES = {
    "o": '<circle cx="15" cy="7" r="4.4"/>',
    "s": '<rect x="11" y="3" width="8" height="8"/>',
    "^": '<path d="M15 2 L20 11 L10 11 Z"/>',
    "v": '<path d="M15 12 L20 3 L10 3 Z"/>',
    "D": '<path d="M15 1.6 L20.4 7 L15 12.4 L9.6 7 Z"/>',
    "P": '<path d="M13 2 h4 v3 h3 v4 h-3 v3 h-4 v-3 h-3 v-4 h3 Z"/>',
    "X": '<path d="M11 2 l4 3 l4 -3 l1.5 2 l-3 3 l3 3 l-1.5 2 l-4 -3 l-4 3 l-1.5 -2 l3 -3 l-3 -3 Z"/>',
}


def _marker(look: style.Look) -> str:
    return f'<g fill="{escape(look.colour)}" stroke="white" stroke-width="0.8">{_SHAPES[look.marker]}</g>'
