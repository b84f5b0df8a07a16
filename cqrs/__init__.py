"""Typed command, query and event buses with errors as values."""
