"""The engine under everything that may happen to it: the invariants I1 to I20 in each run."""

import os

from cqrs_swr.testing import EngineMachine
from hypothesis import HealthCheck, settings

TestEngine = EngineMachine.TestCase
# In the nightly profile 5 000 runs; in the others as many as they have.
_RUNS = {"max_examples": 5000} if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else {}
TestEngine.settings = settings(
    stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], **_RUNS
)
