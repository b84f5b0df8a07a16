set shell := ["sh", "-eu", "-c"]
set positional-arguments

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")
packages := "cqrs plugins/openobserve/cqrs_openobserve plugins/local/cqrs_local plugins/swr/cqrs_swr"
# The repository's own tests look at its files, not at what is installed.
house := "test_architecture test_budgets test_conftest test_dev test_install test_matrix test_pins test_side_by_side"
core_tests := "tests --ignore=tests/docs --ignore=tests/integrations " + replace_regex(house, '(\S+)', '--ignore=tests/$1.py')
deptry := "deptry --no-ansi --package-module-name-map returns-cqrs=cqrs"
compile := "uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links"

# Install what the other verbs need (they do it by themselves)
setup:
    @echo "ready: $(python --version) in .venv"

# Everything that reads the code: format, lint, spelling, who imports whom, dependencies, docstrings, pins, changelog
check:
    ruff format --check
    ruff check
    codespell
    lint-imports
    {{ deptry }} cqrs --known-first-party cqrs --per-rule-ignores DEP002=pytest # of the pytest plugin, beside the package
    cd plugins/openobserve && {{ deptry }} cqrs_openobserve --known-first-party cqrs_openobserve
    cd plugins/local && {{ deptry }} cqrs_local --known-first-party cqrs_local
    cd plugins/swr && {{ deptry }} cqrs_swr --known-first-party cqrs_swr
    interrogate -c pyproject.toml -v tests property_tests plugins/*/tests examples
    python -I requirements/check_pins.py
    towncrier build --draft --version next >/dev/null
    python docs/generate.py --check

# mypy and pyright, both strict, the lines that both have to refuse, and that no public type has to be guessed (tests/typing)
types:
    mypy {{ packages }} examples requirements conftest.py _cqrs_pytestplugin.py
    pyright
    python tests/typing/check.py
    python tests/typing/complete.py

# Every test: core, properties, plugins, example, in processes side by side; with arguments, pytest with them
test *ARGS:
    @if [ $# -gt 0 ]; then pytest "$@"; else python -P tests/side_by_side.py; fi

# The core's tests where nothing but the core is installed; arguments go to pytest
test-core *ARGS:
    @python -I requirements/install.py core -- .venv-core/bin/pytest \
      {{ core_tests }} --ignore=tests/cli --ignore=tests/testing "$@"

# The core's tests on every supported Python that is found on PATH; with arguments, pytest with them on each
matrix *ARGS:
    @[ $# -gt 0 ] || set -- {{ core_tests }} --ignore=tests/cli --ignore=tests/testing; python -P tests/matrix.py "$@"

# The property tests alone; HYPOTHESIS_PROFILE is dev (50 examples), ci (100, always the same) or nightly (2000)
props *ARGS:
    @pytest --timeout=600 property_tests $(find plugins -name 'test_*_properties.py') "$@"

# Every law against every wrong implementation of its suite, as a table; arguments name suites
mutants *ARGS:
    @python -m property_tests.mutants "$@"

# The fault catalogue of the plugins with its full number of rounds; arguments go to pytest
faults-heavy *ARGS:
    @FAULTS_HEAVY=1 pytest --timeout=600 plugins/openobserve/tests/faults plugins/swr/tests/faults \
      plugins/openobserve/tests/provision/test_apply.py "$@"

# The order service against a local server, its numbers read back; arguments: --seconds --rate --seed --chaos --keep
demo *ARGS:
    @python -m examples.orders.demo "$@"

# Replay the recorded answers of two real servers against the local one; arguments go to pytest
replay *ARGS:
    @pytest plugins/local/tests/test_exchanges.py "$@"

# The local server killed at twenty moments over a million records: nothing lost, nothing twice; arguments go to pytest
kills *ARGS:
    @KILL_ROUNDS=20 KILL_RECORDS=1000000 pytest -s --timeout=900 plugins/local/tests/test_kill.py "$@"

# The contract that clients rely on: --url URL --org ORG --token USER:PASSWORD, or without arguments the local server
contract *ARGS:
    @pytest plugins/local/contract "$@"

# Every shipped SQL text and the local server's queries on the oldest engine that is supported
oldest-engine *ARGS:
    @uv pip install --quiet --no-deps --require-hashes --target .oldest-engine -r plugins/local/oldest-engine.txt
    @PYTHONPATH=.oldest-engine pytest plugins/openobserve/tests/provision plugins/local/tests/test_search.py \
      plugins/local/tests/test_engine.py plugins/local/tests/test_traces.py plugins/local/tests/test_promql.py "$@"

# The page in headless Chromium: checked view by view, photographed into docs/images
shots:
    @python docs/shots.py

# Build the chart bundle of the page from npm, or with --check compare it with the one that is there (needs node)
charts *ARGS:
    cd plugins/local/page && npm ci --silent --no-audit --no-fund && node build.mjs "$@"

# A benchmark of bench/, by name
bench NAME *ARGS:
    @shift; python bench/{{ NAME }}.py "$@"

# Compile requirements/*.in into hash-pinned *.txt; `--upgrade` takes newer versions
lock *ARGS:
    {{ compile }} "$@" requirements/dev.in -o requirements/dev.txt
    {{ compile }} -c requirements/dev.txt requirements/core.in -o requirements/core.txt
    python -I requirements/check_pins.py

# The documentation, into site/
docs:
    NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

# Build wheels and sdists, install the wheels in an environment of their own, test them with the sources hidden
wheel:
    @sh requirements/try_wheels.sh {{ core_tests }}

# What has to pass before a change is proposed
all: check types test test-core wheel
