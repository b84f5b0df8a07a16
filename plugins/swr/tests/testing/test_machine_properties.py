"""The engine under everything that may happen to it: the invariants I1 to I20 in each run."""

import os

import pytest
from cqrs_swr.testing import EngineMachine
from hypothesis import HealthCheck, settings

TestEngine = EngineMachine.TestCase
TestEngine.pytestmark = [
    pytest.mark.timeout(7200 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 120)
]
# 5 000 runs in the nightly profile; otherwise as many as fit into the time of a test, also on a slow machine.
_RUNS = {"max_examples": 5000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 25}
TestEngine.settings = settings(
    stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], **_RUNS
)
