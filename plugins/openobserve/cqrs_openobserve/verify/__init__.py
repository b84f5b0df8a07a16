"""Proves an installation: every signal sent the way of production and read back."""

from cqrs_openobserve.verify.findings import Finding, all_proven, as_json
from cqrs_openobserve.verify.verification import Verification

__all__ = ["Finding", "Verification", "all_proven", "as_json"]
