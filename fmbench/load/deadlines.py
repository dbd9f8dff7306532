"""Every deadline of the load that has to nest within another, in seconds. Tests hold the inequalities.

What tells this code to end gives it so long: ECS 120 s, Kubernetes ``terminationGracePeriodSeconds`` (k8s/base).
"""

from __future__ import annotations

LOOK_S = 0.2
"""How often the controller looks at what the load processes say."""
PULSE_S = 1.0
"""How often a load process says how far it is; one that is alone does as often as it is looked at."""

READY_S = 60.0
"""How long every worker may take to be greeted, to have its users and to get ready for a cell."""
STORE_BETWEEN_CELLS_S = 20.0
"""How long the next cell waits for the store to take the journal of the last one. Within ``READY_S``."""
STEP_READY_S = 60.0
"""How long a worker may take to answer a step. Above ``STORE_BETWEEN_CELLS_S``: it waits for the store first."""
CONNECT_ROUND_TRIP_S = 1.0
REGION_S = 0.5
"""How long a worker may take to find out where it stands, while it is greeted. Both within ``READY_S``."""

COME_BACK_S = 5.0
"""How long a worker that went silent may take to come back before the others go on without it."""
SETTLED_S = 1.0
"""A crew whose members have not changed for so long has settled."""
SETTLE_S = 60.0
"""How long the crew may go on changing before the next cell begins with those that are there."""
REPLACEMENT_S = 60.0
"""How long the run waits for the first worker that takes the place of the last one lost."""

STILL_S = 120.0
"""A load process of this machine whose event loop has not turned for so long is killed, and the run goes on to its account. Above
what preparing a cell's prompts or a slow disk may take."""
FIRST_WORD_S = 240.0
"""How long one may take from its start until its event loop turns."""

MASTER_LOST_S = 7.0
"""After so long without a word from the master a worker ends by itself: it stops sending within ten seconds."""

GRACE_S = 25.0
"""How long requests in flight may go on after a signal, or after the master was lost."""
DRAIN_REPORT_S = 15.0
"""How much longer than a request's own deadline a worker waits for the end of requests in flight."""
SLACK_S = 30.0
"""How much longer than the worker the controller waits for that. Above ``DRAIN_REPORT_S``."""
GOODBYE_S = 5.0
"""How much longer than ``GRACE_S`` a process that was told to end waits for the master to let it go."""
STORE_AT_THE_END_S = 75.0
"""How long a process that ends goes on trying to store what it has."""
FAREWELL_S = 100.0
"""How long the controller waits for workers that close and store their files. Above ``STORE_AT_THE_END_S``."""
LEAVE_S = 120.0
"""How long the load processes of this machine may take to end once load.json says that the load is over. Above ``FAREWELL_S``."""
STATISTICS_WAIT_S = 8.0
"""How long the end waits for Locust's own statistics, which workers send every three seconds."""
CLOSE_S = 240.0
"""How long a load process may take to end once it was told to, or its part of the load is over: above what requests in flight,
workers that close their files, and statistics may take together."""
