"""Finding events by their words, in one topic or in all that somebody may read. What of them is kept for that."""
