"""What has to hold before the first request: a target that can be called, prices where a budget needs them, a yes."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Mapping

from fmbench.config.faults import Fault, all_faults
from fmbench.config.files import STDIN
from fmbench.config.load import LoadedConfig
from fmbench.config.model import places_of
from fmbench.config.schema import Config
from fmbench.core.estimate import Estimate
from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.levels import levels_of
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.core.prices.price import Price
from fmbench.run.options import Options
from fmbench.run.plan_table import cost_text, duration_text
from fmbench.run.say import say
from fmbench.storage.runfolder import check_name
from fmbench.storage.store import store_for

ASK_ABOVE_USD = 0.1
"""A run that can cost at most so much starts without a question."""
_NOWHERE = "http://127.0.0.1:9"
"""An endpoint to make requests for, not to send them to."""
OWN_FILES = 48
"""What a load process has open besides its connections."""


def configured_endpoint(config: Config) -> str | None:
    """The endpoint that AWS's own variables or the profile name instead of AWS; None: AWS itself, or the simulator."""
    if config.simulator is not None:
        return None
    from fmbench.bedrock.client import own_endpoint

    return own_endpoint(config.region)


def target_name(config: Config) -> str:
    """Where requests go, for people and the manifest: ``simulator``, an address, or ``aws``."""
    return "simulator" if config.simulator is not None else configured_endpoint(config) or "aws"


def check_address(config: Config) -> None:
    """Raises ``UnusableInput`` or ``Refused`` for an address that nothing can be written to as it stands. Nothing is asked of a
    store."""
    store_for(config.output, config.region)
    check_name(config.output, config.name)


def check_open_files(config: Config, options: Options) -> None:
    """Each user of a load process holds a connection. Raises ``Refused`` where the system lets one have too few files open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if options.master or most == resource.RLIM_INFINITY:
        return
    processes = options.processes if options.processes > 0 else len(os.sched_getaffinity(0))
    users = -(-max(level.concurrency for level in levels_of(config.load)) // processes)
    if users + OWN_FILES > most:
        needed = f"{users:,} users in a load process need {users + OWN_FILES:,} open files, and the system's limit is {most:,}"
        raise Refused(f"{needed}: raise it (ulimit -n, as an administrator), or use more --processes or fewer users.")


def check_budget(config: Config, book: PriceBook) -> None:
    """A budget in USD holds only where every price is known. Raises ``Refused`` for the models without one."""
    if config.budget.max_usd is None:
        return
    prices = prices_of(config, book)
    unknown = [model.id for model in config.models if not _is_known(prices[model.name])]
    if unknown:
        cure = f'add pricing: {{"{unknown[0]}": {{input: …, output: …}}}} (USD for a million tokens), or drop budget.max_usd'
        raise Refused(f"budget.max_usd = {config.budget.max_usd:g}: the price of {', '.join(unknown)} is not known; {cure}.")


def _is_known(price: Price | None) -> bool:
    return price is not None and price.known


def foreign_prices(config: Config, prices: Mapping[str, Price | None]) -> list[str]:
    """A sentence for each model whose price is that of another region or scope; nothing is billed by the simulator."""
    if config.simulator is not None:
        return []
    found = []
    for model in config.models:
        price = prices[model.name]
        if price is not None and price.taken_from is not None:
            where = model.region or config.region or "its region"
            found.append(
                f"The price of {model.name} is taken from {price.taken_from}: the one in {where} is not known. "
                "--live-prices or pricing: gives it."
            )
    return found


def check_target(config: Config) -> None:
    """Raises ``Refused`` when the target cannot be called: no region, no credentials. Loads boto3 unless there is a simulator."""
    if config.simulator is not None:
        return
    from fmbench.bedrock.caller import check_credentials

    for region in {model.region or config.region for model in config.models}:
        check_credentials(region)


def check_requests(loaded: LoadedConfig) -> None:
    """Raises ``UnusableInput`` that names every model to which no request can be made: a body that its id does not tell, a
    parameter that has no place in it, or one that boto3 refuses; and for a CA bundle that cannot be read. Nothing is sent."""
    if loaded.config.simulator is None:
        from fmbench.bedrock.client import check_certificates

        check_certificates()
    reasons = [_why_no_request(loaded.config, number) for number in range(len(loaded.config.models))]
    faults, paths = {}, places_of(loaded.config.models)
    for number, reason in enumerate(reasons):
        if reason is not None and reason not in faults:
            model, path = loaded.config.models[number], paths[number]
            place = loaded.places.get((*path[:2], "id"), loaded.source)
            faults[reason] = Fault(place, path, f'"{model.name}"', "no request can be made", " ".join(reason.split()))
    if faults:
        raise UnusableInput(all_faults(list(faults.values()), loaded.source))


def _why_no_request(config: Config, number: int) -> str | None:
    """What stands in the way of a request to a model, in the words of what refuses it; None: nothing."""
    from fmbench.bedrock.caller import Caller, Endpoint
    from fmbench.core.records import Prompt

    model = config.models[number]
    region = model.region or config.region
    endpoint = Endpoint() if config.simulator is None and region else Endpoint(_NOWHERE)
    try:
        caller = Caller(model, config.inference, region, config.load.timeouts, 1, False, endpoint, config.cache_points(model))
        caller.prepare(Prompt(prompt_id="", text="a prompt", tokens=2, dataset="", language=""), salted=False)
    except UnusableInput as error:
        return str(error)
    return None


def ask_before_spending(config: Config, estimate: Estimate, options: Options) -> None:
    """Ask once, where someone is there to answer and the bill is real and more than ``ASK_ABOVE_USD``, or its size not known.
    Raises ``Refused`` for a no, and where standard input, which brought the configuration, cannot bring an answer."""
    taken = options.config == STDIN and sys.stderr.isatty()
    if options.yes or not (sys.stdin.isatty() or taken) or target_name(config) != "aws" or _is_small(estimate):
        return
    cost, time = cost_text(estimate), duration_text(estimate.seconds)
    say(f"This sends about {estimate.requests:,} requests to Amazon Bedrock: {cost}, {time}.")
    if not sys.stdin.isatty():
        cure = "Say --yes, or give the configuration as a file."
        raise Refused(f"not started: nothing was sent. Standard input holds the configuration, and no answer to this. {cure}")
    _ask("not started: nothing was sent. --yes answers this question beforehand.")


def ask_about_foreign_prices(config: Config, prices: Mapping[str, Price | None], yes: bool) -> None:
    """A budget that rests on the price of another region asks first; where nobody is there to answer, the run is refused. Raises
    ``Refused``."""
    foreign = [] if config.budget.max_usd is None or yes else foreign_prices(config, prices)
    if not foreign:
        return
    for sentence in foreign:
        say(sentence)
    limit = f"budget.max_usd = {config.budget.max_usd:g} would be kept at these prices"
    if not sys.stdin.isatty():
        raise Refused(f"{limit}. {foreign[0]} Or say --yes to take it as it is.")
    say(f"{limit}.")
    _ask("not started: nothing was sent. Give the price with --live-prices or pricing:, or say --yes.")


def _is_small(estimate: Estimate) -> bool:
    return estimate.usd is not None and not estimate.unpriced and estimate.usd.most <= ASK_ABOVE_USD


def _ask(refusal: str) -> None:
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused(refusal)
