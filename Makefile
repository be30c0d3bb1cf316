# Every command of the project; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run admin shell migrate up rollout deploy down logs test torture bench lint format screenshot lock python-venv has-docker

python := $(CURDIR)/.run/venv/bin/python
manage := cd app && $(python) manage.py

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'STACK=1 before admin, shell and migrate means the containers of `make up`.'

# --- without Docker: one process, SQLite, nothing to install but Python. All state is in .run/ ---

# What holds where the environment says nothing else.
ifndef STACK
local := run admin shell migrate
$(local): export DEBUG ?= 1
$(local): export HTTPS ?= 0
$(local): export HOST ?= 127.0.0.1
$(local): export PORT ?= 8000
$(local): export ALLOWED_HOSTS ?= localhost,127.0.0.1,[::1]
$(local): export LOG_FORMAT ?= console
$(local): export DATABASE_URL ?= sqlite:///$(CURDIR)/.run/db.sqlite3
ifndef SECRET_KEY
$(local): export SECRET_KEY_FILE ?= $(CURDIR)/.run/secret_key
endif
ready := .run/venv/app.txt .run/secret_key
endif

# The server takes the terminal for itself: Ctrl-C reaches it alone, and make sees it end well.
define serve
import os, runpy, signal, sys
if sys.stdin.isatty() and os.tcgetpgrp(0) == os.getpgrp():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
sys.path.insert(0, "")
runpy.run_module("realtime.serve", run_name="__main__", alter_sys=True)
endef
export serve

run: $(if $(DATABASE_URL)$(DATABASE_URL_FILE),migrate,.run/migrated) ## the whole site on http://localhost:8000 (PORT=…), until Ctrl-C
	@cd app && exec $(python) -c "$$serve"

# The SQLite file is up to date while no migration and no package is newer than this mark.
.run/migrated: $(ready) $(wildcard app/*/migrations/*.py)
	@$(manage) migrate --noinput --verbosity 0
	@touch $@
ifeq ($(wildcard .run/db.sqlite3),)
.PHONY: .run/migrated
endif

migrate: $(ready) ## bring the database's tables up to date
ifdef STACK
	docker compose run --rm migrate
else
	@$(manage) migrate --noinput --verbosity 0
endif

admin: $(if $(STACK),,migrate) ## make a superuser for /admin/
ifdef STACK
	docker compose exec web python manage.py createsuperuser $(ARGS)
else
	@$(manage) createsuperuser $(ARGS)
endif

shell: $(ready) ## a Python shell with Django's models
ifdef STACK
	docker compose exec web python manage.py shell
else
	@$(manage) shell
endif

# --- with Docker: nginx, gunicorn, Daphne, Redis, Postgres ---

up: has-docker ## build and start the stack on http://localhost:8080, and wait until it is healthy
	docker compose up --detach --wait --build

rollout: has-docker ## replace the application by a new version while people talk
	@docker/rollout.sh

deploy: ## bring a new version to Heroku: make deploy APP=name
	@docker/deploy.sh $(APP)

down: has-docker ## stop the stack; its data stays
	docker compose down

logs: has-docker ## follow the stack's logs
	docker compose logs --follow --tail 100

has-docker:
	@docker compose version >/dev/null 2>&1 || \
	  { echo "Docker with its compose plugin is missing; \`make run\` does without." >&2; exit 1; }

# --- for those who change it ---

test: python-venv .run/venv/app.txt .run/venv/tests.txt ## all tests, with their own set-up; SUITE=unit (integration, e2e, stack) for one suite
	@$(python) tests/run.py $(SUITE)

torture: python-venv .run/venv/app.txt .run/venv/tests.txt ## random faults while people talk, for MINUTES=10, and a report
	@tests/setup.sh postgres redis nginx
	@PYTHONPATH=tests:app $(python) -u -m torture --minutes $(or $(MINUTES),10) $(ARGS)

bench: python-venv .run/venv/app.txt .run/venv/tests.txt .run/venv/bench.txt ## what it costs beside its peers, in docs/bench; ARGS="--quick --only fanout"
	@tests/setup.sh postgres redis nginx nchan wrk
	@PYTHONPATH=tests:app $(python) -u -m bench $(ARGS)

lint: python-venv .run/venv/app.txt .run/venv/tests.txt ## everything that can be checked without running it
	@tests/lint.sh

format: .run/venv/tests.txt ## bring the Python files into ruff's form
	@$(python) -m ruff format --quiet . && $(python) -m ruff check --quiet --fix .

screenshot: .run/venv/tests.txt ## the README's picture, taken of the site that runs at URL=http://localhost:8080
	@tests/setup.sh chromium chinese-font
	$(python) tests/e2e/screenshot.py $(or $(URL),http://localhost:8080) docs/conversation.png

lock: .run/venv/tests.txt ## pin every requirements.in with hashes; ARGS=--upgrade for newer versions
	$(call compile,app)
	$(call compile,tests)
	$(call compile,tests/bench)
compile = cd $(1) && $(CURDIR)/.run/venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --custom-compile-command "make lock" $(ARGS) requirements.in --output-file requirements.txt

# Tests set everything up by themselves; `make run` says what to install instead.
python-venv:
	@tests/setup.sh python-venv

# --- .run/ ---

# A lock is installed when it differs from the copy that was installed last.
.run/venv/bench.txt: tests/bench/requirements.txt .run/venv/bin/python
	$(install)
.run/venv/%.txt: %/requirements.txt .run/venv/bin/python
	$(install)
define install
	@cmp --silent $< $@ || { \
	  echo "Installing $<" && \
	  $(python) -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement $< && \
	  cp $< $@; }
	@touch $@
endef

.run/venv/bin/python:
	@for python in python3 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done; \
	[[ $$python ]] || { echo "Python 3.11 or newer is missing: no python3 here is one." >&2; exit 1; }; \
	$$python -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian: apt install python3-venv" >&2; exit 1; }; \
	$$python -m venv --clear .run/venv

.run/secret_key: | .run/venv/bin/python
	@(umask 077; $(python) -c 'import secrets; print(secrets.token_urlsafe(50), end="")' >$@)
