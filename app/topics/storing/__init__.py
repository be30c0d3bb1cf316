"""How events get into the logs, and are read again: the database. Nothing here knows sockets."""
