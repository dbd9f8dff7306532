"""``models[].routes``: each route is an arm of the study, in interleaved blocks, and the resolved configuration loads again."""

from __future__ import annotations

import pytest
import yaml

from fmbench.config.load import parse_config, resolved_yaml, stored_config
from fmbench.core.failures import UnusableInput
from fmbench.core.plan import plan_cells
from fmbench.core.prices.book import PriceBook

TEXT = """
region: us-east-1
models:
  - id: us.amazon.nova-lite-v1:0
    label: nova
    inference: {temperature: null, max_tokens: 9}
    routes:
      - {service_tier: default}
      - {service_tier: priority}
      - {id: amazon.nova-lite-v1:0, region: us-west-2, label: in Oregon}
      - {performance_config: optimized, cache: 1h, effort: high, api: converse}
      - {cache: none}
  - {id: us.meta.llama3-3-70b-instruct-v1:0, label: llama}
pricing:
  nova: {input: 1, output: 2, cases: [{tier: priority, input: 1.75, output: 3.5}]}
"""


def test_each_route_is_a_model_of_its_own() -> None:
    config = parse_config(TEXT, "cfg.yml").config
    first, priority, oregon, fast, cold, llama = config.models
    assert [model.name for model in config.models] == [
        "nova (default)",
        "nova (priority)",
        "nova (in Oregon)",
        "nova (optimized latency, cache 1h, effort high, converse)",
        "nova (no cache)",
        "llama",
    ]
    assert [model.route_of for model in config.models] == ["nova"] * 5 + [None]
    assert (first.route, llama.route) == ("default", None)
    asked = priority.asked(config.inference)
    assert (asked.service_tier, asked.max_tokens, asked.temperature) == ({"type": "priority"}, 9, None)
    assert (oregon.id, oregon.region) == ("amazon.nova-lite-v1:0", "us-west-2")
    assert (fast.asked(config.inference).performance_config, fast.api) == ({"latency": "optimized"}, "converse")
    assert fast.asked(config.inference).effort == "high"
    points = config.cache_points(fast)
    assert points is not None
    assert points.ttl == "1h"
    assert config.salted(fast) and config.salted_alike(fast), "it reads what it wrote itself, and no other route"
    assert not config.salted_alike(cold)
    assert (config.cache_points(cold), config.salted(cold), config.salted(first)) == (None, True, True)


def test_a_fault_names_the_route_as_it_was_written() -> None:
    text = """
region: us-east-1
models:
  - id: us.amazon.nova-lite-v1:0
    routes: [{service_tier: default}, {service_tier: priority}, {label: talk, api: messages}]
  - {id: us.amazon.nova-pro-v1:0, routes: [{cache: 5m}, {cache: none}]}
  - {id: us.amazon.nova-micro-v1:0}
  - {id: us.amazon.nova-micro-v1:0}
load: {retry: {mode: standard, attempts: 3}}
"""
    with pytest.raises(UnusableInput) as refused:
        parse_config(text, "cfg.yml")
    assert "cfg.yml:5: models[0].routes[2].api" in str(refused.value)
    assert 'cfg.yml:8: models[3].id = "us.amazon.nova-micro-v1:0": is the name of models[2] too' in str(refused.value)


def test_a_run_stores_what_loads_again_as_the_same() -> None:
    config = parse_config(TEXT, "cfg.yml").config
    assert stored_config(resolved_yaml(config), "config.yml") == config


def test_routes_take_turns_and_each_goes_first_once() -> None:
    cells = plan_cells(parse_config(TEXT, "cfg.yml", ["load.concurrency=[4]"]).config, "synthetic", ["en_1-500"])
    names = [cell.model for cell in cells]
    assert names == names[:6] + names[:6][::-1]
    assert [cell.block for cell in cells] == [0] * 6 + [1] * 6
    assert [cell.route for cell in cells[:2]] == ["default", "priority"]
    told = parse_config(TEXT, "cfg.yml", ["load.order=sequential", "load.repeats=1"]).config
    assert not told.interleaved
    assert len(plan_cells(told, "synthetic", ["b"])) == 6 * 4


def test_a_price_of_the_model_is_that_of_its_routes_at_their_tier() -> None:
    config = parse_config(TEXT, "cfg.yml").config
    book = PriceBook(config.pricing, config.region)
    prices = [book.of_model(config, model) for model in config.models[:2]]
    assert [price.expected(1_000_000, 1_000_000) for price in prices if price is not None] == [3.0, 5.25]


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([{"service_tier": "flex"}], "models[0].routes"),
        ([{"service_tier": "flex"}, {"service_tier": "flex"}], "two routes called"),
        ([{"service_tier": "fast"}, {}], "models[0].routes[0].service_tier"),
        ([{"tier": "flex"}, {}], "models[0].routes[0].tier"),
        ([{"cache": "10m"}, {}], "models[0].routes[0].cache"),
    ],
)
def test_a_faulty_route_is_named_where_it_stands(routes: list[dict[str, str]], said: str) -> None:
    text = yaml.safe_dump({"models": [{"id": "us.amazon.nova-lite-v1:0", "routes": routes}]})
    with pytest.raises(UnusableInput) as caught:
        parse_config(text, "cfg.yml")
    assert said in str(caught.value)
