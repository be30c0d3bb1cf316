"""A foreign app with one topic, as somebody who builds on this has one: what is measured of topics."""
