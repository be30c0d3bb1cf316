"""What is measured: each module has `run(bench)`, which yields its results."""
