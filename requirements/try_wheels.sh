#!/bin/sh
# Builds every distribution into dist/, then tests the wheels where no source can be imported by accident.
# Run by `./dev wheel` from the root, with the environment on PATH; the arguments name the tests.
set -eu
root=$(pwd -P)
hidden=$(mktemp -d)
trap 'rm -rf "$hidden"' EXIT

rm -rf dist
for project in . plugins/*/; do
  [ -f "$project/pyproject.toml" ] || continue
  # The wheel is built from the sdist: an sdist that lacks a file fails here.
  python -m build --no-isolation --outdir dist "$project" >"$hidden/build.log" 2>&1 || { cat "$hidden/build.log"; exit 1; }
done

python -I requirements/install.py wheel
python="$root/.venv-wheel/bin/python"
"$python" -I -m pip install --quiet --no-deps --no-index --no-user --force-reinstall dist/*.whl
"$python" -I -m pip check

cp -R conftest.py pyproject.toml tests "$hidden"
cd "$hidden"
"$python" -I - <<'PYTHON'
import importlib.metadata as metadata
import sysconfig

import cqrs

names = [name for name in ("returns-cqrs", "returns-cqrs-openobserve", "returns-cqrs-local", "returns-cqrs-swr")]
places = {name: metadata.distribution(name).locate_file("") for name in names}
assert all(str(place) == sysconfig.get_path("purelib") for place in places.values()), places
assert cqrs.__file__.startswith(sysconfig.get_path("purelib")), cqrs.__file__
for point in [*metadata.entry_points(group="cqrs.plugins"), *metadata.entry_points(group="cqrs.commands")]:
    point.load()
print("wheels:", ", ".join(f"{name} {metadata.version(name)}" for name in names))
PYTHON
"$root/.venv-wheel/bin/cqrs" --help >/dev/null
"$python" -Im pytest --quiet "$@"
