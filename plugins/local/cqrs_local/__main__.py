"""`python -m cqrs_local up`: the same commands as `cqrs local`."""

from cqrs_local.cli.group import group

if __name__ == "__main__":
    group(prog_name="python -m cqrs_local")
