# make run    try Rota: environment, install, demo on SQLite; Ctrl-C ends it
# make test   prove it: environment, install, servers, linters, the whole suite (what CI runs)
# make check  the quick form while working: linters and the fast tests, under three minutes
#
# make utest | itest   unit or integration tests; file=test_file.py function=test_function picks one
# make lint | format   look at the code, or mend what a machine can mend; format takes file=PATH
# make soak            the long forms of tests, by hand
# make bench           Rota beside its peers, under ten minutes; args=--long for a million jobs

.DEFAULT_GOAL := help
.PHONY: help run test check utest itest soak bench lint format servers clean

bin := .venv/bin
user := .venv/.installed
developer := .venv/.installed-dev
peers := .venv/.installed-bench
jobs ?= 2
fast := $(wildcard tests/architecture tests/tooling tests/servers tests/unit tests/property tests/conformance)
unit := $(wildcard tests/unit tests/property)
integration := $(filter-out %/__pycache__ tests/architecture $(unit),$(patsubst %/,%,$(wildcard tests/*/)))

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run: $(user)
	@$(bin)/python scripts/foreground.py $(bin)/rota run $(args)

test: $(developer) servers
	@scripts/lint
	@$(bin)/pytest -n $(jobs) tests

check: $(developer) servers
	@scripts/lint
	@$(bin)/pytest -n $(jobs) $(fast)

utest: $(developer)
	@scripts/tests '$(file)' '$(function)' $(unit)

itest: $(developer) servers
	@scripts/tests '$(file)' '$(function)' $(integration)

soak: $(developer) servers
	@$(bin)/pytest --timeout=0 --hypothesis-profile=soak -m 'not soak' $(wildcard tests/property)
	@$(bin)/pytest --timeout=0 -m soak tests

bench: $(peers)
	@scripts/servers bench
	@$(bin)/python -m bench $(args)

lint: $(developer)
	@scripts/lint

format: $(developer)
	@$(bin)/ruff format $(or $(file),.)
	@$(bin)/ruff check --fix $(or $(file),.)
	@$(bin)/python -m scripts.env_dist

servers: $(developer)
	@scripts/servers

clean:
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(user): pyproject.toml scripts/environment
	@scripts/environment

$(developer): pyproject.toml scripts/environment
	@scripts/environment dev

$(peers): pyproject.toml scripts/environment
	@scripts/environment bench

# `make file=test_file.py function=-k test_function utest`: make takes the bare name for a goal; give it back.
ifeq ($(function),-k)
name := $(filter-out utest itest,$(MAKECMDGOALS))
override function := $(name)
.PHONY: $(name)
$(name): ; @:
endif
