"""``fmbench-load check`` and ``policy``, and the check that every real run begins with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from fmbench.config.schema import Config, Model
from fmbench.core.failures import ExitCode, Refused
from fmbench.core.preflight import Found, Verdict, failed
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.core.records import Exchange
from fmbench.run.checks import check_target, target_name
from fmbench.run.options import Options
from fmbench.run.policy import ANY_ACCOUNT, policy
from fmbench.run.preflight import look
from fmbench.run.preflight.subject import Subject
from fmbench.run.say import say

BEFORE_A_RUN = ("credentials", "region", "models", "quotas")
"""Prices and the output are looked at by the run itself."""
PROBE_TOKENS = 16


def command(options: Options, as_json: bool, probe: bool) -> int:
    """Print what was found. 3 when something would keep a run from starting."""
    loaded = options.load()
    config = loaded.config
    if target_name(config) != "aws":
        say(f"requests go to {target_name(config)}: there is no account to look at; prices and output alone are checked.")
    found = list(_look(config, probe))
    if as_json:
        json.dump({"found": [each.to_dict() for each in found], "failed": len(failed(found))}, sys.stdout, indent=1)
        print()
    else:
        print("\n".join(_line(each) for each in found))
    return ExitCode.REFUSED if failed(found) else ExitCode.DONE


def print_policy(options: Options, account_id: str | None, live_prices: bool) -> int:
    """Print the IAM policy that the configuration needs."""
    print(json.dumps(policy(options.load().config, account_id or ANY_ACCOUNT, live_prices), indent=2))
    return ExitCode.DONE


def check_before_run(config: Config, book: PriceBook) -> None:
    """Raises ``Refused`` with every failure and its cure; warnings are said. Only where AWS itself is called."""
    if target_name(config) != "aws":
        return
    found = list(look(Subject(config, prices_of(config, book)), BEFORE_A_RUN))
    for each in found:
        if each.verdict is Verdict.WARNING:
            say(f"warning: {_sentence(each)}")
    faults = failed(found)
    if faults:
        raise Refused("\n".join(["this run would fail, and nothing was sent:", *(f"  {_sentence(each)}" for each in faults)]))


def _look(config: Config, probe: bool) -> Iterator[Found]:
    subject = Subject(config, prices_of(config, PriceBook(config.pricing, config.region)))
    if target_name(config) != "aws":
        yield from look(subject, ("prices", "output"))
    else:
        check_target(config)
        yield from look(subject)
    if probe:
        yield from _probes(config)


def _probes(config: Config) -> Iterator[Found]:
    """One request to each model, where the run's requests would go."""
    if config.simulator is None:
        yield from (_probe(config, model, None, None) for model in config.models)
        return
    from fmbench.simulator import start

    with start(config.simulator) as running:
        yield from [_probe(config, model, running.url, running.ca_bundle) for model in config.models]


def _probe(config: Config, model: Model, url: str | None, ca_bundle: str | None) -> Found:
    """One request of a few tokens, with the configuration's parameters; thinking that was asked for needs all of its tokens."""
    from fmbench.bedrock.caller import Caller, Endpoint
    from fmbench.core.records import Prompt

    asked = model.asked(config.inference)
    most = PROBE_TOKENS if asked.thinking in (None, "off") else asked.max_tokens
    small = model.model_copy(update={"inference": model.inference.model_copy(update={"max_tokens": most})})
    endpoint = Endpoint(url, ca_bundle)
    caller = Caller(small, config.inference, model.region or config.region, config.load.timeouts, 1, True, endpoint)
    prompt = Prompt(prompt_id="probe", text="Say yes.", tokens=4, dataset="", language="")
    exchange = caller.call(caller.prepare(prompt, salted=False), None)
    caller.close()
    return _probed(model, exchange)


def _probed(model: Model, exchange: Exchange) -> Found:
    if exchange.failure is not None:
        what = f"{exchange.failure}: {exchange.message or 'no message'}"
        cure = "Leave out the parameter that the message names, or take the model out."
        return Found(check="probe", about=model.name, verdict=Verdict.FAILED, what=what, cure=cure)
    parts = [f"answered with {exchange.usage.output_tokens} tokens"]
    if exchange.first_text_ns is None:
        parts.append(f"none of them text within {PROBE_TOKENS}: it thinks unasked, so give it more max_tokens")
    parts += [f"tier {exchange.service_tier}"] if exchange.service_tier else []
    parts += [f"latency {exchange.latency_mode}"] if exchange.latency_mode else []
    verdict = Verdict.WARNING if exchange.first_text_ns is None else Verdict.OK
    return Found(check="probe", about=model.name, verdict=verdict, what=", ".join(parts))


def _line(found: Found) -> str:
    return f"{found.verdict:<8} {_sentence(found)}"


def _sentence(found: Found) -> str:
    cure = f" {found.cure}" if found.cure else ""
    return f"{found.check} of {found.about}: {found.what.rstrip('.')}.{cure}"
