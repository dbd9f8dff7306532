"""What looks wrong about a model's id: no form that Bedrock has, a slip of the pen, a profile that its region does not reach."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from fmbench.config.shipped import ids_named
from fmbench.core.model_facts import bare_id, geo_of

CALLED_FROM = {
    "us.": ("us-", "ca-", "mx-", "sa-"),
    "ca.": ("ca-", "us-"),
    "us-gov.": ("us-gov-",),
    "eu.": ("eu-", "il-", "me-", "af-"),
    "apac.": ("ap-", "me-", "il-"),
    "jp.": ("ap-",),
    "au.": ("ap-",),
    "in.": ("ap-",),
}
"""By the prefix of a cross-Region profile how the regions begin that may reach it, generously; of others nothing is said."""
_APPLICATION = re.compile(r"[a-z0-9]{8,}")
"""An application profile by its id alone, a custom or imported model's name: letters and digits."""


def about_id(model_id: str, region: str | None) -> Iterator[str]:
    """What to look at before requests are sent with this id; nothing of one that is as it should be."""
    if model_id.startswith("arn:"):
        yield from _reach(model_id.rpartition("/")[2], model_id.split(":")[3] or region)
        return
    odd = _form(model_id)
    if odd:
        yield f"{model_id!r} is no id as Bedrock has them: {odd}"
        return
    yield from _slip(model_id)
    yield from _reach(model_id, region)


def _form(model_id: str) -> str | None:
    """What is wrong with the form of an id, and the cure."""
    if "/" in model_id:
        return f"it has a slash. Write {model_id.rstrip('/').rpartition('/')[2]} alone, or a whole ARN."
    if model_id != model_id.lower():
        return f"it has capitals. Write {model_id.lower()}."
    if "." not in model_id and not (_APPLICATION.fullmatch(model_id) and re.search(r"\d", model_id)):
        named = [known for known in ids_named() if model_id in known]
        hint = f", such as {min(named, key=len)}" if named else ", such as us.amazon.nova-lite-v1:0"
        return f"it names no provider. Write the whole id{hint} (`fmbench-load models` lists some)."
    return None


def _slip(model_id: str) -> Iterator[str]:
    """An id with the same numbers as one that is known, and nearly its letters."""
    known = {bare_id(each): each for each in ids_named()}
    bare = bare_id(model_id) or model_id
    if bare in known:
        return
    near = next((each for each in known if each and _nearly(bare, each)), None)
    if near is not None:
        yield f"{model_id!r} is no id that is known here: did you mean {geo_of(model_id)}{near}?"


def _nearly(one: str, other: str) -> bool:
    letters, others = (Counter(re.sub(r"\d", "", each)) for each in (one, other))
    unlike = (letters - others).total() + (others - letters).total()
    return re.findall(r"\d+", one) == re.findall(r"\d+", other) and unlike <= 2


def _reach(model_id: str, region: str | None) -> Iterator[str]:
    """A cross-Region profile that cannot be called from the region."""
    prefix, bare = geo_of(model_id), bare_id(model_id)
    if region is None or prefix not in CALLED_FROM or _reaches(prefix, region):
        return
    own = [prefix_in(region), *([] if region.startswith("us-gov-") else ["global."])]
    instead = " or ".join(f"{each}{bare}" for each in own if each)
    yield f"a profile that begins with {prefix} is not known to be called from {region}: write {instead} where the model has it."


def prefix_in(region: str | None) -> str | None:
    """How profiles begin that are called from a region; None: not known."""
    return next((prefix for prefix in CALLED_FROM if region and _reaches(prefix, region)), None)


def _reaches(prefix: str, region: str) -> bool:
    governed = region.startswith("us-gov-")
    return prefix == "us-gov." if governed else prefix != "us-gov." and region.startswith(CALLED_FROM[prefix])
