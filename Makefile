# Every command of the project; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run admin shell migrate manage doctor up rollout swarm deploy down logs backup archive restore certificate test torture bench capacity simulate lint format icons pictures words lock inherited python-venv has-docker has-python

# Relative, since the folder's own name may hold characters that mean something to a shell or in an address.
python := .run/venv/bin/python
django := cd app && ../$(python) manage.py

pip_sources := INDEX_URL EXTRA_INDEX_URL NO_INDEX FIND_LINKS TRUSTED_HOST CERT CLIENT_CERT PROXY TIMEOUT DEFAULT_TIMEOUT \
  RETRIES CACHE_DIR KEYRING_PROVIDER CONFIG_FILE
# What was left in the environment for other projects changes nothing here: which modules Python finds, where pip
# installs to, where `cd` goes. Where pip downloads from is the machine's affair and stays.
unexport CDPATH DJANGO_SETTINGS_MODULE __PYVENV_LAUNCHER__
unexport $(filter PYTHON%,$(.VARIABLES))
unexport $(filter-out $(addprefix PIP_,$(pip_sources)),$(filter PIP_%,$(.VARIABLES)))

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'STACK=1 before admin, shell, migrate, manage and doctor means the containers of `make up`.'

# --- without Docker: one process, SQLite, nothing to install but Python. All state is in .run/ ---

# What holds where the environment says nothing else.
ready :=
ifndef STACK
local := run admin shell migrate manage doctor
$(local): export DEBUG ?= 1
$(local): export HTTPS ?= 0
$(local): export HOST ?= localhost
$(local): export PORT ?= 8000
$(local): export ALLOWED_HOSTS ?= localhost,127.0.0.1,[::1]
$(local): export LOG_FORMAT ?= console
# All as seen from app/, where everything runs.
$(local): export DATABASE_URL ?= sqlite:///../.run/db.sqlite3
$(local): export STORAGE_URL ?= file:../.run/files
ifndef SECRET_KEY
$(local): export SECRET_KEY_FILE ?= ../.run/secret_key
endif
ifndef VAPID_KEY
$(local): export VAPID_KEY_FILE ?= ../.run/vapid_key
endif
ready := .run/venv/app.txt .run/secret_key .run/vapid_key
# What the environment gives as a file needs no default beside it.
by_default := DEBUG HTTPS HOST PORT ALLOWED_HOSTS LOG_FORMAT DATABASE_URL STORAGE_URL
$(foreach name,$(by_default),$(if $($(name)_FILE),$(if $($(name)),,$(eval $(local): export $(name) :=))))
endif

# The server takes the terminal for itself: Ctrl-C reaches it alone, and make sees it end well.
define serve
import os, runpy, signal, sys
if sys.stdin.isatty() and os.tcgetpgrp(0) == os.getpgrp():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
sys.argv[:] = ["manage.py", "runserver"]
runpy.run_path("manage.py", run_name="__main__")
endef
export serve

# A variable that another project left behind decides here as well, so it is named.
listed = $(shell sed -n 's/^\#\([A-Z_]*\)=.*/\1 \1_FILE/p' .env.example)
inherited = $(strip $(foreach name,$(listed),$(if $(filter environment%,$(origin $(name))),$(name))))
truths := 1 true True on yes

inherited:
	@$(if $(inherited),echo "From your environment: $(inherited)")

run: inherited $(if $(DATABASE_URL)$(DATABASE_URL_FILE),migrate,.run/migrated) ## the whole site on http://localhost:8000 (PORT=…), until Ctrl-C
	@$(if $(filter $(truths),$(DEBUG)),,echo "Collecting the static files" && $(django) collectstatic --noinput --verbosity 0)
	@echo "Starting"
	@cd app && exec ../$(python) -c "$$serve"

# The SQLite file is up to date while no migration and no package is newer than this mark.
.run/migrated: $(ready) $(wildcard app/*/migrations/*.py)
	@echo "Bringing the tables of .run/db.sqlite3 up to date"
	@$(django) migrate --noinput --verbosity 0
	@touch $@
ifeq ($(wildcard .run/db.sqlite3),)
.PHONY: .run/migrated
endif

migrate: $(if $(STACK),,inherited) $(ready) ## bring the database's tables up to date
ifdef STACK
	docker compose run --rm migrate
else
	@$(django) migrate --noinput --verbosity 0
endif

admin: $(if $(STACK),,migrate) ## make a superuser for /admin/
ifdef STACK
	@$(in_web) createsuperuser $(ARGS)
else
	@$(django) createsuperuser $(ARGS)
endif

shell: $(ready) ## a Python shell with Django's models
ifdef STACK
	@$(in_web) shell
else
	@$(django) shell
endif

manage: $(ready) ## any command of Django: make manage ARGS="changepassword alice"
ifdef STACK
	@$(in_web) $(ARGS)
else
	@$(django) $(ARGS)
endif

# The container that migrates starts where web and ws do not, and knows of REPLICAS and of what Postgres allows.
doctor: $(ready) ## what is wrong with a deployment and how to mend it; from outside with URL=https://…
ifndef STACK
	@$(django) doctor $(if $(URL),--url "$$URL") $(ARGS)
else ifndef URL
	@docker compose run --rm --no-deps --no-TTY migrate python manage.py doctor $(ARGS)
else
	@echo "URL looks from outside and STACK=1 inside: one after the other, please." >&2; exit 2
endif

# Also from a script, which has no terminal to lend.
in_web = docker compose exec $$([[ -t 0 && -t 1 ]] || echo --no-TTY) \
  $(if $(DJANGO_SUPERUSER_PASSWORD),--env DJANGO_SUPERUSER_PASSWORD="$$DJANGO_SUPERUSER_PASSWORD") web python manage.py

# --- with Docker: nginx, gunicorn, Daphne, Redis, Postgres ---

ifneq ($(STACK)$(filter up rollout swarm down logs backup archive restore certificate,$(MAKECMDGOALS)),)
project := $(shell docker/project.sh)
files := $(shell docker/files.sh)
endif
ifneq ($(project),)
export COMPOSE_PROJECT_NAME := $(project)
endif
ifneq ($(files),)
export COMPOSE_FILE := $(files)
endif

up: has-docker ## build, check and start the stack on http://localhost:8080, and wait until it is healthy
	@docker/up.sh

rollout: has-docker ## bring a new version while people talk
	@docker/rollout.sh

swarm: has-docker has-python ## bring the stack, or a new version of it, to the Docker Swarm that this engine manages
	@cd docker && exec python3 -B -m swarm

deploy: has-python ## bring a new version to Heroku: make deploy APP=name
	@cd docker && exec python3 -B -m deploy "$${APP:-}"

down: has-docker ## stop the stack; its data stays
	docker compose down

logs: has-docker ## follow the stack's logs, with ID=… those of one request or socket (X-Request-Id) from its beginning
ifdef ID
	@docker compose logs --follow --no-color | grep --line-buffered --fixed-strings --regexp="$$ID"
else
	docker compose logs --follow --tail 100
endif

backup: has-docker ## the stack's database in one file in DIR=backups, KEY=age1… encrypts it; UNTIL=… of a past moment
	@DIR="$${DIR:-backups}" KEY="$${KEY:-}" UNTIL="$${UNTIL:-}" IDENTITY="$${IDENTITY:-}" docker/backup.sh

archive: has-docker ## docker/archive.yml: a copy from which any later moment can be reached, for DAYS=7
	@DAYS="$${DAYS:-7}" docker/archive.sh

restore: has-docker ## bring it back into a stopped stack: make restore FILE=backups/… (IDENTITY=… where it is encrypted)
	@FILE="$${FILE:-}" IDENTITY="$${IDENTITY:-}" docker/restore.sh

certificate: has-docker ## with DOMAIN: renew the certificate now, or take over TLS_CERT and TLS_KEY; cuts no socket
	@docker/certificate.sh

has-docker:
	@docker compose version >/dev/null 2>&1 || \
	  { echo "Docker with its compose plugin is missing; \`make run\` does without." >&2; exit 1; }
	@$(if $(project),echo "Compose cannot name its project after this folder: $(project). COMPOSE_PROJECT_NAME=$(project) in .env makes it so for docker compose as well.")
	@$(if $(files),echo "DOMAIN is set and so docker/tls.yml is read: COMPOSE_FILE=$(files) in .env makes it so for docker compose as well.")

has-python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || \
	  { echo "$(firstword $(MAKECMDGOALS)): python3 is missing or older than 3.9: install it with your system's package manager." >&2; exit 1; }

# --- for those who change it ---

test: python-venv .run/venv/app.txt .run/venv/tests.txt ## all tests, with their own set-up; SUITE=unit (integration, e2e, stack, nightly) for one suite
	@$(python) tests/run.py $(SUITE)

torture: python-venv .run/venv/app.txt .run/venv/tests.txt ## random faults while people talk, for MINUTES=10, and a report; ARGS=--soak finds leaks instead
	@tests/setup.sh postgres redis nginx
	@PYTHONPATH=tests:app $(python) -u -m torture --minutes $(or $(MINUTES),10) $(ARGS)

bench: python-venv .run/venv/app.txt .run/venv/tests.txt .run/venv/bench.txt ## what it costs beside its peers, in docs/bench; ARGS="--quick --only fanout"
	@tests/setup.sh postgres redis nginx nchan wrk
	@PYTHONPATH=tests:app $(python) -u -m bench $(ARGS)

capacity: .run/venv/app.txt ## what a site needs, from what bench measured: make capacity MEMBERS=20000 ROOMS=1000 RATE=50
	@PYTHONPATH=docker:app $(python) -B -m capacity

simulate: python-venv .run/venv/app.txt .run/venv/tests.txt .run/venv/bench.txt ## storms, rollouts and failovers of up to a million sockets; ARGS=--validate runs real ones beside
	@PYTHONPATH=tests:app $(python) -u -m simulation $(ARGS)

lint: python-venv .run/venv/app.txt .run/venv/tests.txt ## everything that can be checked without running it
	@tests/lint.sh

format: .run/venv/tests.txt ## bring the Python files into ruff's form
	@$(python) -m ruff format --quiet . && $(python) -m ruff check --quiet --fix .

icons: .run/venv/tests.txt ## the icons of an installed site, of app/rooms/static/rooms/icon.svg
	@tests/setup.sh chromium
	$(python) tests/e2e/icons.py

pictures: .run/venv/app.txt .run/venv/tests.txt ## the pictures of README and docs, taken of sites that are made for them
	@tests/setup.sh chromium chinese-font
	@PYTHONPATH=tests $(python) -m pictures

words: .run/venv/app.txt .run/venv/tests.txt ## what people read, from the code into app/locale, and from there to servers and browsers
	@PYTHONPATH=tests:app $(python) -m translating

lock: .run/venv/tests.txt ## pin every requirements.in with hashes; ARGS=--upgrade for newer versions
	$(call compile,app)
	$(call compile,tests)
	$(call compile,tests/bench)
	$(call compile,docker/certificates)
compile = cd $(1) && $(if $(findstring /,$(1)),../..,..)/.run/venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
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
	@cmp -s $< $@ || { \
	  echo "Installing the $$(grep -c == $<) packages of $<: once, for about half a minute" && \
	  $(python) -m pip install $(pip_options) --require-hashes --requirement $< && \
	  cp $< $@; }
	@touch $@
endef
# A pip.conf may send packages elsewhere than into this environment.
pip_options := --quiet --quiet --disable-pip-version-check --no-user --target=

# A Python that was updated no longer finds what was installed for the old one, nor does one whose making was cut short.
ifneq ($(wildcard .run/venv/bin/python),)
ifneq ($(shell $(python) -I -c 'import pip' 2>&1),)
.PHONY: .run/venv/bin/python
endif
endif
.run/venv/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done; \
	[[ $$python ]] || { echo "Python 3.11 or newer is missing: no python3 here is one." >&2; exit 1; }; \
	$$python -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian: apt install python3-venv" >&2; exit 1; }; \
	echo "Making an environment of $$($$python --version) in .run/venv" && \
	  rm -rf .run/venv && $$python -m venv .run/venv

.run/secret_key: | .run/venv/bin/python
	@(umask 077; $(python) -c 'import secrets; print(secrets.token_urlsafe(50), end="")' >$@)

.run/vapid_key: | .run/venv/bin/python
	@(umask 077; $(python) -c 'import secrets; print(secrets.token_hex(32), end="")' >$@)
