"""The pictures of README.md and docs/, taken of a site that is made for them."""
