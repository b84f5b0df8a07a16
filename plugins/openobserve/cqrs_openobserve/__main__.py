"""``python -m cqrs_openobserve``: the same commands as ``cqrs openobserve``."""

from cqrs_openobserve.cli import group

if __name__ == "__main__":
    group(prog_name="python -m cqrs_openobserve")
