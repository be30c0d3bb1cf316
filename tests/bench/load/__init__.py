"""The load: sockets by the thousand in a process of its own, which counts everything that each of them hears."""
