"""Llama 4's markup, for ids that do not tell it."""

from __future__ import annotations

from fmbench.bedrock.families.llama import marked_up

FAMILY = marked_up("llama4")
