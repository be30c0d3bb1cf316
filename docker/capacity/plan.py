"""What is needed, for people to read: the table, and what to set with compose, Swarm and the chart."""

from capacity.measured import Measured
from capacity.need import BUSY, Asked, Need
from realtime.budget import DEPLOY, POSTGRES_PER_MIGRATION, POSTGRES_PER_WORKER, REDIS_PER_ASGI, REDIS_PER_WORKER

POOL = 8  # DATABASE_POOL
MANY = 500  # connections, of which each is a process of Postgres
NGINX_NOW = 20_000  # limit_conn sockets


def text(asked: Asked, cost: Measured, need: Need, server: str) -> str:
    postgres = DEPLOY * (need.processes * POOL + need.web_processes * POSTGRES_PER_WORKER) + POSTGRES_PER_MIGRATION
    redis = DEPLOY * (need.processes * REDIS_PER_ASGI + need.web_processes * REDIS_PER_WORKER)
    many = "\nwhich is much for one Postgres: put a PgBouncer before it (docs/scaling.md)." if postgres > MANY else ""
    rows = [
        ("ws processes", f"{need.processes} of {server}, {need.sockets:,} sockets each (MAX_SOCKETS)"),
        ("", f"{need.cores:.2f} of a core each at that rate; they are planned for {BUSY}"),
        ("", f"{need.memory_mb:,} MB each"),
        ("web", f"{need.web_processes} processes of gunicorn, if everybody opens a page within five minutes"),
        ("deliveries", f"{need.deliveries:,.0f} a second"),
        ("Postgres", f"{need.postgres_cores:.2f} of a core for {asked.rate:,.0f} messages a second"),
        ("", f"{asked.rate * 86400:,.0f} rows a day at that rate"),
        ("", f"{postgres} connections while a new version takes over (DATABASE_POOL={POOL})"),
        ("Redis", f"{asked.rate:,.0f} publishes a second at most, {need.heard:,.0f} that it hands on"),
        ("", f"{need.redis_mb:.1f} MB for its sockets' memberships, {redis} connections"),
        ("after a cut", f"{need.returning_seconds:.1f} s of each process's core to take its people in again"),
        ("nginx", f"{need.nginx_sockets:,} sockets, {need.nginx_workers} workers, {need.nginx_mb:,} MB"),
    ]
    table = "\n".join(f"{name:<14}{words}" for name, words in rows)
    return f"""\
{asked.members:,} people at once in {asked.rooms:,} rooms, {asked.rate:,} messages a second in all.
Computed from what `make bench` measured on {cost.machine}, {cost.date}, with one process.
Reckoned, not measured: that a message of another process costs what one's own does in a busy one.

{table}

With compose, in .env:
REPLICAS={need.processes}
MAX_SOCKETS={max(10_000, need.sockets)}
WEB_CONCURRENCY={need.web_processes}
and max_connections = {postgres + 3} in docker/postgres/postgresql.conf, elsewhere DATABASE_CONNECTIONS={postgres}{many}

With Swarm: REPLICAS={need.processes} for the service ws, on nodes with {need.processes * need.cores:.1f} cores and \
{need.processes * need.memory_mb:,} MB in all.

With the chart, in values.yaml:
ws:
  replicas: {need.processes}
  resources: {{requests: {{cpu: {max(0.1, need.cores):.1f}, memory: {need.memory_mb}Mi}}, limits: {{memory: \
{2 * need.memory_mb}Mi}}}}
database: {{connections: {postgres}}}
redis: {{connections: {redis}}}
{edge(need)}"""


def edge(need: Need) -> str:
    if need.nginx_sockets <= NGINX_NOW:
        return "\nnginx takes that as it is (nginx/limits.conf)."
    return f"""
nginx/limits.conf: limit_conn sockets {need.nginx_sockets}; and sockets_per_address as many behind Docker's translation
nginx/nginx.conf: worker_processes {need.nginx_workers};
docker-compose.yml: memory: {need.nginx_mb + 128}m for nginx"""
