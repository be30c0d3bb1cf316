"""Topics over plain HTTP, under /topics/: pages of history, appending, the stream of events."""
