"""What to do about a refusal: a cure for each word, and the configuration key that the service's text names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fmbench.core.failures import OF_THE_PROMPT, OURS, PERMANENT, FailureKind

CURES: dict[FailureKind, str] = {
    FailureKind.ACCESS_DENIED: "Allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model, and ask for "
    "access to it in this account and region.",
    FailureKind.EXPIRED_CREDENTIALS: "Renew the AWS credentials (`aws sso login`, a new session, what the credential_process "
    "needs), then go on with --resume.",
    FailureKind.EXPIRED_API_KEY: "Make a new Bedrock API key, put it into AWS_BEARER_TOKEN_BEDROCK, then go on with --resume.",
    FailureKind.UNRECOGNIZED_CLIENT: "The access key, its session token or the API key is not one that AWS knows: check "
    "AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SESSION_TOKEN, or AWS_BEARER_TOKEN_BEDROCK, and the region.",
    FailureKind.BAD_SIGNATURE: "The secret key does not belong to the access key, or something between (a proxy, a gateway) "
    "changes requests: check AWS_SECRET_ACCESS_KEY and what lies between.",
    FailureKind.CLOCK_SKEW: "Set this machine's clock (NTP: `timedatectl set-ntp true`, chrony), then go on with --resume.",
    FailureKind.PROXY_REFUSED: "Check HTTP_PROXY or HTTPS_PROXY: http://user:password@host:port, the password percent-encoded, "
    "and whether the proxy lets this host through; NO_PROXY keeps an endpoint off it.",
    FailureKind.NOT_FOUND: "Check the model's id and the region.",
    FailureKind.TOO_LONG: "Choose buckets that the model's context takes, or a smaller inference.max_tokens.",
    FailureKind.VALIDATION: "Change what the message names, for this model alone if need be: models[].inference.",
}
_TOLD = (
    (
        r"on-demand throughput|with the ID or ARN of an inference profile",
        "Name an inference profile that holds the model as models[].id: us., eu., apac. or global. before its id "
        "(`fmbench-load models --live` lists those of the account).",
    ),
    (
        r"end of its life|marked by provider as legacy|has been (retired|deprecated)|is no longer (available|supported)",
        "Name the model that follows it; `fmbench-load models` lists them.",
    ),
    (
        r"use case details|use case form",
        "Fill in the provider's use case form once for the account (Bedrock console, model catalog), wait some minutes, then "
        "try again.",
    ),
    (
        r"INVALID_PAYMENT_INSTRUMENT|valid payment (instrument|method)",
        "Give the account a valid means of payment (Billing, payment preferences), wait some minutes, then try again.",
    ),
    (
        r"aws-marketplace|AWS Marketplace",
        "The model is sold through AWS Marketplace: let a role with aws-marketplace:Subscribe and "
        "aws-marketplace:ViewSubscriptions call it once, wait some minutes, then try again.",
    ),
    (
        r"explicit deny in a service control policy|\bSCP\b",
        "A policy of the organisation denies it: have it allow the model in every region that the inference profile reaches, or "
        "name a profile or a region that it allows.",
    ),
    (
        r"explicit deny|permissions? boundary|session policy",
        "A policy denies it, whatever else allows it: change the one that the message names.",
    ),
    (
        r"account is (currently )?(suspended|closed|restricted|not authorized)|account is not authorized",
        "The account itself may not do this: see AWS Support or the account's owner.",
    ),
    (
        r"(unsupported|not (available|supported) in (your|this)) (countr|region|location)",
        "Choose a region, or an inference profile, in which the provider offers the model.",
    ),
)
_CURES_TOLD = tuple((re.compile(pattern, re.I), cure) for pattern, cure in _TOLD)
"""What to do by the service's own words, where they say more than its code."""
_TOLD_IN = frozenset({FailureKind.ACCESS_DENIED, FailureKind.NOT_FOUND, FailureKind.VALIDATION})
_PARAMETERS = (
    (r"temperature", "temperature"),
    (r"top[_ ]?p", "top_p"),
    (r"stop[_ ]?sequences?", "stop_sequences"),
    (r"max[_ ]?(output[_ ]?|completion[_ ]?)?tokens|max_gen_len|maxTokenCount|maximum (output )?tokens", "max_tokens"),
    (r"service[_ ]?tier", "service_tier"),
    (r"performance[_ ]?config|latency.optimi[sz]ed", "performance_config"),
    (r"system (message|prompt|role)s?", "system"),
    (r"guardrail", "guardrail"),
    (r"reasoning|thinking|effort|top[_ ]?k|extraneous key", "additional_model_request_fields"),
)
_NAMES = tuple((re.compile(rf"(?<![A-Za-z]){pattern}(?![A-Za-z])", re.I), name) for pattern, name in _PARAMETERS)


def parameter_named(message: str) -> str | None:
    """The key of ``inference`` that a refusal's text names; None: none."""
    found = ((match.start(), name) for pattern, name in _NAMES if (match := pattern.search(message)))
    return min(found, default=(0, None))[1]


_OF_THE_MODEL = re.compile(
    r"model (identifier|id)|on-demand throughput|inference profile|(not|n['’]t) (supported|available) (for|in|by|on) ", re.I
)
_OF_THE_API = re.compile(r"supported on this route|support the \W\S+\W API", re.I)
"""The model is there, and another API or service has it."""


def lies_with_the_model(kind: str, message: str) -> bool:
    """Whether every request to a model meets this refusal, whatever its prompt: access, its id, a parameter that is named."""
    if kind in OURS or kind not in PERMANENT:
        return False
    if kind not in OF_THE_PROMPT:
        return True
    named = parameter_named(message) is not None or any(each.search(message) for each in (_OF_THE_MODEL, _OF_THE_API))
    return kind == FailureKind.VALIDATION and named


def cure_of(kind: str, message: str = "") -> str:
    """What to do about a failure; "" where there is nothing to do but to report it."""
    try:
        word = FailureKind(kind)
    except ValueError:
        return ""
    if word in (FailureKind.VALIDATION, FailureKind.NOT_FOUND) and _OF_THE_API.search(message):
        return "Ask this model by another api, or at another endpoint: `fmbench-load models` says which it has."
    told = next((cure for pattern, cure in _CURES_TOLD if pattern.search(message)), None) if word in _TOLD_IN else None
    if told is not None:
        return told
    name = parameter_named(message) if word is FailureKind.VALIDATION else None
    if name is None:
        return CURES.get(word, "")
    return f"The service names inference.{name}: set another value for this model, or null (models[].inference.{name}: null)."


def in_words(failures: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Failures with their counts, what the service said, and the cures."""
    counted = ", ".join(f"{kind} ({count:,})" for kind, count in sorted(failures.items()) if count)
    said = "; ".join(dict.fromkeys(f'"{words[kind]}"' for kind in sorted(failures) if words.get(kind)))
    cures = " ".join(dict.fromkeys(cure for kind in sorted(failures) if (cure := cure_of(kind, words.get(kind, "")))))
    return ". ".join(part for part in (f"{counted}: {said}" if said else counted, cures) if part).rstrip(".")
