"""Finds out what keeps telemetry from arriving, without changing anything."""

from cqrs_openobserve.doctor.examination import Examination
from cqrs_openobserve.doctor.lines import Line, Report

__all__ = ["Examination", "Line", "Report"]
