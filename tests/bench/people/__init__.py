"""The load: people who speak `rooms.v1`, so light that a core carries thousands of them."""
