"""Real server processes for the tests: each module starts one kind, `stack` puts them together."""
