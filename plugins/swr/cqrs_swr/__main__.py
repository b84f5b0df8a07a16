"""``python -m cqrs_swr``: the same commands as ``cqrs swr``."""

from cqrs_swr.cli import group

if __name__ == "__main__":
    group(prog_name="python -m cqrs_swr")
