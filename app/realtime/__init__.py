"""Sockets, and delivery in memory, for any product: without a database. The files, as a frame passes them:

a request comes    request_id, intake, proxy, origin, tls, admission, capacity, routing, echo
a socket opens     servers, inbox, consumer, present, rates
an event is told   hubs, hub, contract, feed, memory, repairing
it reaches each    audience, bundle, outbox, eager, waiting
all processes      wire, wires, hearing, outgoing, layers, postgres, events, presence, announcing, asking
what was lost      checking, heartbeat
who has to go      standing, closing, drain
the process        serve, signals, process, listening, lifespan, registry, failures, reloading, ending
its operator       metrics, tallies, tracing, health, check, reach, redises, lean, outage, seldom, budget, deployment
its numbers        conf, limits
"""
