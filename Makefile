# Every target sets up what it needs: a bare machine with Python 3.11 and its venv module will do.

PYTHON ?= python3
PY := .venv/bin/python
# Two processes on two cores: a thread each for their matrix products.
TEST := env OPENBLAS_NUM_THREADS=1
PYTEST := $(TEST) $(PY) -m pytest -n 2 --dist loadgroup
DEV := .venv/dev.stamp
ORACLES := .venv/oracles.stamp
KATEX := .venv/katex/node_modules/katex/package.json
OLDEST := .venv-oldest/dev.stamp

# The lower bounds of pyproject.toml; tests/test_packaging.py holds the two together.
FLOOR := numpy==1.26.0 sympy==1.13.0 jinja2==3.1.0 click==8.1.0 rich==13.0.0

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A kind each: dense, convolution, gather, recurrence, attention.
KINDS := mlp lenet5 word2vec lstm transformer_block
QUICK := tests/test_floors.py tests/test_algebra.py tests/test_sift.py tests/test_closed_forms.py \
  $(KINDS:%="tests/test_generated.py::test_generated[%]")

# Counts, names and layout: under another NumPy they are what they are, and test_generated holds the
# pages under the oldest too.
SAME := linear_growth operation_counts block_pages figures natural_names floors print_derivation \
  syntax catalogue detail documents

.PHONY: help picture demo feedback runs test quick bench compare lint format generated test-tex test-oracles test-packaging pages
.PHONY: test-oldest test-deep fuzz trust trust-map clean

help:
	@echo "make demo            derive, check and train a network on handwritten digits -> build/"
	@echo "make feedback        train with four learning rules, three not the gradient -> build/"
	@echo "make runs            train an LSTM, a GPT and LeNet-5 (a few minutes each) -> build/"
	@echo "make quick           algebra, sifting, closed forms, print and code of each kind (1 minute)"
	@echo "make test            the tests, at most 7 minutes"
	@echo "make lint            ruff and mypy --strict"
	@echo "make generated       rewrite generated/, docs/coverage.md, programs.md and rules.md"
	@echo "make picture         draw the picture of the README (needs pdflatex and pdftoppm)"
	@echo "make bench           how long deriving and verifying take"
	@echo "make compare         how fast the generated code is -> benchmarks/report.md (half an hour)"
	@echo "make test-tex        the tests that need pdflatex and xelatex"
	@echo "make pages           every page of every model compiled, every web equation set (5 minutes)"
	@echo "make test-oracles    the tests against PyTorch, JAX and autograd"
	@echo "make test-packaging  wheel, sdist, editable install, bare checkout"
	@echo "make test-oldest     all tests with the oldest supported NumPy and SymPy"
	@echo "make test-deep       the same tests at more seeds, sizes and points"
	@echo "make fuzz            a long random search for mistakes"
	@echo "make trust           the long runs of docs/trust.md, TRUST=\"PART --minutes 5 --seed 1\""

demo: $(DEV)
	$(PY) examples/digits.py build

feedback: $(DEV)
	$(PY) examples/feedback.py build

runs: $(DEV)
	$(PY) examples/lenet5.py build
	$(PY) examples/characters.py

test: $(DEV)
	$(PYTEST) -m "not tex and not oracles and not packaging and not oldest and not deep and not fuzz and not pages"

quick: $(DEV)
	$(PY) -m pytest -q $(QUICK)

lint: $(DEV)
	$(PY) -m ruff check .
	$(PY) -m mypy

format: $(DEV)
	$(PY) -m ruff check --fix .

generated: $(DEV)
	$(PY) -m pytest -q tests/test_generated.py tests/test_coverage.py tests/test_idioms.py tests/test_catalogue.py --update

# The picture of the README: tests/test_project.py says when it is out of date.
picture: $(DEV)
	$(PY) examples/picture.py

# Some environments preset an OpenBLAS kernel older than the processor: timings are without it.
bench: $(DEV)
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(PY) benchmarks/derive.py

# Peers that are not installed are left out: make .venv/oracles.stamp installs them.
compare: $(DEV)
	$(PY) benchmarks/compare.py --style readable,fast

test-tex: $(DEV)
	@command -v pdflatex >/dev/null || { echo "make test-tex needs pdflatex: install" \
	  "texlive-latex-base, texlive-latex-recommended, texlive-pictures" >&2; exit 1; }
	@command -v xelatex >/dev/null || { echo "make test-tex needs xelatex: install" \
	  "texlive-xetex, texlive-lang-chinese, texlive-fonts-recommended" >&2; exit 1; }
	$(PYTEST) -m tex

pages: $(DEV) $(KATEX)
	@command -v pdflatex >/dev/null && command -v xelatex >/dev/null || { echo "make pages needs" \
	  "pdflatex and xelatex: see make test-tex; and texlive-latex-extra" >&2; exit 1; }
	$(PYTEST) -m pages

$(KATEX):
	@command -v npm >/dev/null || { echo "make pages needs node: install nodejs, npm" >&2; exit 1; }
	npm install --no-audit --no-fund --silent --prefix .venv/katex katex@0.16
	touch $@

test-oracles: $(ORACLES)
	$(PY) -c "import torch, jax, autograd"
	$(PYTEST) -m oracles

test-deep: $(DEV)
	$(PYTEST) -m "deep and not tex and not oracles and not packaging and not oldest and not fuzz"

test-packaging: $(DEV)
	$(PY) -m pytest -m packaging

test-oldest: $(OLDEST)
	$(TEST) .venv-oldest/bin/python -m pytest -n 2 --dist loadgroup \
	  $(SAME:%=--ignore=tests/test_%.py) \
	  -m "not tex and not oracles and not packaging and not deep and not fuzz and not pages"

fuzz: $(DEV)
	$(PYTEST) -m fuzz

# Mutation asks which tests execute a line: `make trust-map` makes that map, once (slow).
trust: $(DEV)
	$(TEST) PYTHONPATH=tests:. $(PY) -m trust $(TRUST)

trust-map: $(DEV)
	$(TEST) PYTHONPATH=tests:. $(PY) -m trust.coverage

$(DEV): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "symprop needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --editable ".[dev]"
	@touch $@

$(ORACLES): $(DEV)
	$(PY) -m pip install --quiet --editable ".[dev,oracles]"
	@touch $@

$(OLDEST): pyproject.toml Makefile
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --editable ".[dev]" $(FLOOR)
	@touch $@

clean:
	rm -rf .venv .venv-oldest build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
