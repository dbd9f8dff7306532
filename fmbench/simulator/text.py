"""The endpoint's own tokens: a token is four bytes of UTF-8, rounded up; what an answer says when it has nothing to say."""

from __future__ import annotations

from random import Random

BYTES_PER_TOKEN = 4

_PROSE = (
    "The harbour was quiet in the early morning, and the boats lay still against the wooden piers. "
    "A keeper walked along the wall with a lamp in her hand, counting the ropes and looking out over the grey water. "
    "She had kept the light for many winters and knew each of the captains by the sound of his engine. "
    "When the fog came down from the hills, the bell was rung every few minutes until the last boat was home. "
    "In the town behind it the bakers had already opened their doors, and the smell of bread went up the narrow streets. "
    "Children on their way to school stopped to watch the nets being mended and asked the same questions as every day. "
    "The answers changed a little each time, because the people who mended the nets liked a good story better than a true one. "
    "Later the market filled with voices, and baskets of fish and apples passed from hand to hand until nothing was left. "
    "By the evening the wind had turned, the shutters were closed, and the keeper went up to light the lamp again. "
)
PROSE = _PROSE[: len(_PROSE) // BYTES_PER_TOKEN * BYTES_PER_TOKEN]
"""Filler, whole tokens long, ASCII: it is repeated as often as an answer needs."""
_TOKENS = [PROSE[start : start + BYTES_PER_TOKEN] for start in range(0, len(PROSE), BYTES_PER_TOKEN)]


def count_tokens(size_in_bytes: int) -> int:
    """Tokens in so many bytes of UTF-8."""
    return -(-size_in_bytes // BYTES_PER_TOKEN)


def filler(tokens: int, random: Random) -> list[str]:
    """So many tokens of prose, from somewhere in the story."""
    start = random.randrange(len(_TOKENS))
    return (_TOKENS * ((start + tokens) // len(_TOKENS) + 1))[start : start + tokens]


def tokens_of(text: str) -> list[str]:
    """``text`` cut into its tokens: four bytes each, the last one shorter; no character is cut."""
    if text.isascii():
        return [text[start : start + BYTES_PER_TOKEN] for start in range(0, len(text), BYTES_PER_TOKEN)]
    return _whole_characters(text)


def pieces(tokens: list[str], tokens_per_piece: int) -> list[str]:
    """``tokens`` put together by so many; the last piece may have fewer."""
    if tokens_per_piece == 1:
        return tokens
    return ["".join(tokens[start : start + tokens_per_piece]) for start in range(0, len(tokens), tokens_per_piece)]


def _whole_characters(text: str) -> list[str]:
    cut: list[str] = []
    piece = ""
    for character in text:
        if piece and len((piece + character).encode()) > BYTES_PER_TOKEN:
            cut.append(piece)
            piece = ""
        piece += character
    return [*cut, piece] if piece else cut
