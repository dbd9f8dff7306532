"""``fmbench-load check`` and ``policy``, and the check that every real run begins with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from fmbench.config.schema import Config
from fmbench.core.failures import ExitCode, Refused, UnusableInput
from fmbench.core.preflight import Found, Verdict, failed
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.core.quota.tokens import Quota
from fmbench.run.checks import check_target, target_name
from fmbench.run.options import Options
from fmbench.run.policy import ANY_ACCOUNT, policy
from fmbench.run.preflight import look
from fmbench.run.preflight.subject import Subject
from fmbench.run.probe import probes
from fmbench.run.say import say

BEFORE_A_RUN = ("credentials", "region", "models", "quotas")
"""Prices and the output are looked at by the run itself."""


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
    config = options.load().config
    if config.simulator is not None:
        say("With simulator: no model of AWS is called, none is in the policy; --set simulator=null prints that of a run on AWS.")
    print(json.dumps(policy(config, account_id or ANY_ACCOUNT, live_prices), indent=2))
    return ExitCode.DONE


def check_before_run(config: Config, book: PriceBook) -> dict[str, Quota]:
    """Raises ``Refused`` with every failure and its cure; warnings are said. Only where AWS itself is called. Returns the quotas
    that are known, by the models' names."""
    if target_name(config) != "aws":
        return {}
    subject = Subject(config, prices_of(config, book))
    found = list(look(subject, BEFORE_A_RUN))
    for each in found:
        if each.verdict is Verdict.WARNING:
            say(f"warning: {_sentence(each)}")
    faults = failed(found)
    if faults:
        raise Refused("\n".join(["this run would fail, and nothing was sent:", *(f"  {_sentence(each)}" for each in faults)]))
    return {name: quota for name, quota in subject.quotas.items() if quota is not None}


def _look(config: Config, probe: bool) -> Iterator[Found]:
    prices = prices_of(config, PriceBook(config.pricing, config.region))
    subject = Subject(config, prices, has_account=target_name(config) == "aws")
    if not subject.has_account:
        told = ("quotas",) if config.quota else ()
        yield from look(subject, (*told, "prices", "output"))
    elif (unsigned := _unsigned(config)) is not None:
        yield unsigned
        yield from look(subject, ("prices", "output"))
        return
    else:
        yield from look(subject)
    if probe:
        yield from probes(config)


def _unsigned(config: Config) -> Found | None:
    """What is said where no request could be signed, or no server be believed; nobody is asked then. None: all is there."""
    from fmbench.bedrock.client import check_certificates

    about = "identity"
    try:
        check_target(config)
        about = "certificates"
        check_certificates()
    except (Refused, UnusableInput) as error:
        what, _, cure = str(error).partition(". ")
        return Found(check="credentials", about=about, verdict=Verdict.FAILED, what=what, cure=cure)
    return None


def _line(found: Found) -> str:
    return f"{found.verdict:<8} {_sentence(found)}"


def _sentence(found: Found) -> str:
    cure = f" {found.cure}" if found.cure else ""
    return f"{found.check} of {found.about}: {found.what.rstrip('.')}.{cure}"
