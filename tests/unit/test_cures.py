"""What to do about a refusal, by the words that real accounts get."""

from __future__ import annotations

import pytest

from fmbench.core.cures import cure_of, in_words

SAID = [
    (
        "validation",
        "Invocation of model ID anthropic.claude-haiku-4-5-20251001-v1:0 with on-demand throughput isn\u2019t supported. Retry "
        "your request with the ID or ARN of an inference profile that contains this model.",
        "inference profile",
    ),
    ("not_found", "This model version has reached the end of its life.", "follows it"),
    (
        "not_found",
        "Access denied. This Model is marked by provider as Legacy and you have not been actively using it",
        "follows it",
    ),
    ("not_found", "Model use case details have not been submitted for this account.", "use case form"),
    (
        "access_denied",
        "Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.",
        "means of payment",
    ),
    (
        "access_denied",
        "Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace "
        "actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model.",
        "aws-marketplace:Subscribe",
    ),
    (
        "access_denied",
        "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: "
        "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude with an explicit deny in a service control policy",
        "organisation",
    ),
    ("access_denied", "… with an explicit deny in an identity-based policy", "whatever else allows it"),
    ("access_denied", "Your account is currently suspended. Contact AWS Support.", "AWS Support"),
    (
        "access_denied",
        "Access to Anthropic models is not allowed from unsupported countries, regions, or territories.",
        "offers the model",
    ),
]
PLAIN = [
    ("access_denied", "You don't have access to the model with the specified model ID.", "bedrock:InvokeModel"),
    ("validation", "`temperature` and `top_p` cannot both be specified for this model.", "inference.temperature"),
    ("not_found", "Could not resolve the foundation model from the provided model identifier.", "id and the region"),
    ("too_long", "Input is too long; it has reached the end of its life", "smaller inference.max_tokens"),
]


@pytest.mark.parametrize(("kind", "message", "cure"), SAID + PLAIN, ids=lambda value: value[:24])
def test_the_cure_is_that_of_the_words(kind: str, message: str, cure: str) -> None:
    assert cure in cure_of(kind, message)


def test_words_and_cure_stand_together() -> None:
    said = in_words({"access_denied": 1200}, {"access_denied": "Your account is currently suspended."})
    assert said.startswith('access_denied (1,200): "Your account is currently suspended.". The account itself')
