"""How a socket follows topics: who comes, what is missed and shown, what clients send. Nothing here is of HTTP."""
