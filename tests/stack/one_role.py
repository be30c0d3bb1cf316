"""A running stack as the version left it in which the servers' role owned everything, and there was no other one."""

from stack.compose import Stack, run

HAND_BACK = """
    REASSIGN OWNED BY rooms_owner TO rooms;
    DROP OWNED BY rooms_owner;
    ALTER DATABASE rooms OWNER TO rooms;
    GRANT TEMPORARY ON DATABASE rooms TO PUBLIC;
    DROP ROLE rooms_owner;
"""
KEPT = "DROP DATABASE IF EXISTS rooms_replaced"  # which an earlier test may have left by a restore
FILES = "cd /run/secrets && rm migrate_database_url postgres_owner_password"


def hand_back(stack: Stack) -> None:
    postgres = stack.container("postgres")
    psql = ["psql", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--username=postgres", "--dbname=rooms"]
    postgres.exec("psql", "--quiet", "--username=postgres", "--dbname=postgres", f"--command={KEPT}")
    run(["docker", "exec", "--interactive", postgres.id, *psql, "--file=-"], said=HAND_BACK)
    postgres.exec("sh", "-c", 'rm "$PGDATA/roles.made"')
    stack.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", "secrets", "-euc", FILES)
