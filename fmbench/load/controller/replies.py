"""What load processes have answered and nobody has read yet, each reply under the order that it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from fmbench.load.clock import now
from fmbench.load.protocol import ANSWERS, IGNORED, ORDERS, Message, Unable, kind_of, number_of

MOST_REPLIES = 10_000
"""So many replies that nobody took are kept."""

Reply = TypeVar("Reply", bound=Message)


class Replies:
    """Holds replies until they are taken, with the time at which each was heard."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, int | None], tuple[Message, float]] = {}

    def keep(self, client: str, kind: str, message: Message) -> bool:
        """Whether the reply was kept. One that was unable stands where the answer to its order would."""
        if len(self._kept) >= MOST_REPLIES:
            IGNORED.count("too many replies")
            return False
        if isinstance(message, Unable):
            asked = ANSWERS.get(ORDERS.get(message.asked, Message))
            if asked is None:
                IGNORED.count("unable to do what is not asked")
                return False
            kind = kind_of(asked)
        self._kept[client, kind, number_of(message)] = message, now()
        return True

    def have(self, kind: type[Message], number: int | None, clients: Iterable[str]) -> bool:
        """Whether each of ``clients`` has replied."""
        return all((client, kind_of(kind), number) in self._kept for client in clients)

    def take(self, kind: type[Reply], number: int | None, client: str) -> tuple[Reply | Unable, float] | None:
        """A process's reply and when it was heard, if it is there; it is taken away."""
        found = self._kept.pop((client, kind_of(kind), number), None)
        if found is None:
            return None
        reply, heard_at = found
        assert isinstance(reply, kind | Unable)
        return reply, heard_at
