"""The servers that sockets come through. Whatever depends on the insides of a server or of its library is here."""
