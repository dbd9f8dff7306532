"""What the web UI's bar says once the report is there; in a process of its own, since the page's module brings gevent."""

from __future__ import annotations

import json
import subprocess
import sys

SAY = """
import json, sys
from fmbench.load.web_end import Ending
print(json.dumps([Ending(None)._answer(each) for each in json.load(sys.stdin)]))
"""
VALID = {"verdict": "PASS", "findings": []}
PICKED = {"recommendation": {"model": "m"}, "recommendation_reason": "m at 4 users.", "search": [], "validity": VALID}
NONE = {"recommendation": None, "recommendation_reason": "No model meets 1 s.", "search": [{"of": "users"}], "validity": VALID}
QUOTA = NONE | {"recommendation_reason": "A quota was searched for; no model is judged.", "search": [{"of": "quota"}]}


def test_a_run_that_searched_for_a_quota_has_no_recommendation_to_miss() -> None:
    command = [sys.executable, "-c", SAY]
    given = json.dumps([PICKED, NONE, QUOTA])
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [
        "m at 4 users. Validity: PASS.",
        "No recommendation: No model meets 1 s. Validity: PASS.",
        "A quota was searched for; no model is judged. Validity: PASS.",
    ]
