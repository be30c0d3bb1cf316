"""For tests/lint.sh: whether the version before could live with each migration of these apps. Starts a Postgres."""

import subprocess
import sys

from servers.app import SOURCE, environment
from servers.postgres import Postgres


def main() -> int:
    postgres = Postgres()
    postgres.start()
    try:
        env = environment(DATABASE_URL=postgres.create_database("judge"))
        return subprocess.run(
            [sys.executable, "manage.py", "check_migrations", *sys.argv[1:]], cwd=SOURCE, env=env
        ).returncode
    finally:
        postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
