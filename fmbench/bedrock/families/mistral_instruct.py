"""The instruction markup of the first Mistral models, for ids that do not tell it."""

from __future__ import annotations

from fmbench.bedrock.families.mistral import marked_up

FAMILY = marked_up("mistral-instruct")
