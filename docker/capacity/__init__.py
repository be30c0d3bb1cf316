"""How much a site of some size needs, computed from what `make bench` has measured: `make capacity`."""
