"""AI21 Jamba: chat completions."""

from __future__ import annotations

from fmbench.simulator.families.chat import Chat


class Jamba(Chat):
    """The same, by ids of AI21's."""

    mark = "ai21."


FAMILY = Jamba()
