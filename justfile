set shell := ["sh", "-eu", "-c"]
set positional-arguments

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")
packages := "cqrs plugins/openobserve/cqrs_openobserve plugins/local/cqrs_local"
tests := "tests property_tests plugins/openobserve/tests plugins/local/tests examples/orders/tests"

# Install what the other verbs need; they do it by themselves.
setup:
    @echo "ready: $(python --version) in .venv"

# Tests of everything: core, properties, plugins, example. Arguments go to pytest.
test *ARGS:
    pytest "$@"

# The core's own tests where nothing else is installed: no plugin, no plugin library, no command line.
test-core *ARGS:
    python -I requirements/install.py core -- .venv-core/bin/pytest \
      tests --ignore=tests/cli --ignore=tests/typing --ignore=tests/test_architecture.py "$@"
