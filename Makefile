# `make run` starts the workbench with its example agents; `make test` checks everything.
# Both need Python 3.11 or newer and nothing else: what they use is installed into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
comma := ,

.PHONY: run test soak figures screenshots lint browser

run: $(VENV)/.examples
	@exec $(BIN)/workbench demo $(ARGS)

test: $(VENV)/.test $(VENV)/.frameworks lint browser
	@$(BIN)/python -m pytest -q --color=no -n 3 --dist loadfile $(ARGS)

# What takes minutes: kills by the hundred, ten thousand waiting runs.
soak: $(VENV)/.test
	@$(BIN)/python -m pytest -q --color=no -m soak $(ARGS)

# Runs the benchmarks and the suites that count something; writes docs/figures.md.
figures: $(VENV)/.test
	@$(BIN)/python benchmarks/figures.py $(ARGS)

# Looks at every screen, light and dark, and keeps what it sees in docs/screens.
screenshots: $(VENV)/.test browser
	@$(BIN)/python docs/screenshots.py $(ARGS)

lint: $(VENV)/.test
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports

browser:
	@.ci/chromium

# Installs the package with some extras: by uv, where that can be had, in a tenth of the time.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python
define install
{ $(PIP) uv && $(UV) -e '.[$(1)]'; } || $(PIP) -e '.[$(1)]'
endef

$(VENV)/.examples $(VENV)/.test: $(VENV)/.%: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(call install,$*)
	@touch $@

# Some forty packages that nothing but their own tests needs: where they cannot be had, those skip.
$(VENV)/.frameworks: $(VENV)/.test
	@$(call install,test$(comma)frameworks) \
		|| echo "The frameworks cannot be installed here; their tests skip." >&2
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "python3 -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
