"""Unit tests import the application itself, with the settings of tests/conftest.py. The other suites start it."""

import django

django.setup()
