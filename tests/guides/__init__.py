"""The guides of docs/guides, followed."""
