"""Storms, rollouts and failovers of more sockets than this machine has room for, by simpy; `make simulate`.

What is simulated: people who dial as the browser's client does, servers that take them in one after another with a
bound on those who wait, one Postgres that all ask, goodbyes as a process that leaves says them, and the look at the
log that takes Redis' place while that is away. Bounds and times are the code's own, costs the benchmark's.
"""
