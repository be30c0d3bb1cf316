"""Statements with somebody's words in them that get into trouble, each in another way.

Runs inside a container of the application, as `manage.py shell -c`. As there, values stand inside the statement that
the server sees. The table `said` is there: a container that serves may make none.
"""

import os
import threading
import time

from django.db import DatabaseError, connection

WORDS = os.environ["WORDS"]


def says(sql, on=connection):
    with on.cursor() as cursor:
        cursor.execute(sql, [WORDS] * sql.count("%s"))
        return cursor.fetchone() if cursor.description else None


def fails(sql, on=connection):
    try:
        says(sql, on)
    except DatabaseError:
        on.rollback() if not on.get_autocommit() else None
    else:
        raise SystemExit(f"no trouble: {sql}")


def both(*calls):
    threads = [threading.Thread(target=call, args=args) for call, *args in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def takes(one, key):
    says(f"SELECT pg_advisory_xact_lock({key}), %s", one)


def tries(one, key, errors):
    try:
        takes(one, key)
    except DatabaseError as error:
        errors.append(str(error).splitlines()[0])
    one.rollback()


def ends(pid):
    """Once it is in the middle of something."""
    sleeping = f"SELECT state FROM pg_stat_activity WHERE pid = {pid} AND strpos(query, 'sleep(30)') > 0"
    while says(sleeping) != ("active",):
        time.sleep(0.05)
    says(f"SELECT pg_terminate_backend({pid})")


says("INSERT INTO said VALUES (%s, 1)")
fails("INSERT INTO said VALUES (%s, 1)")
fails("INSERT INTO said VALUES (%s || '!', NULL)")
fails("INSERT INTO said VALUES (%s || '!', 10)")
fails("SELECT 1/0, %s")
fails("SELECT %s, FROM nowhere")
fails("DO $$ BEGIN PERFORM 1/0, 'in a block' || %s; END $$")
says("SELECT pg_sleep(0.6), %s")
says("SET statement_timeout = '100ms'")
fails("SELECT pg_sleep(5), %s")
says("SET statement_timeout = 0")
# By which the application would tell the log more.
fails("LOAD 'auto_explain'")
fails("SET log_statement = 'all'")
fails("SET log_min_duration_statement = 0")
fails("SET log_min_error_statement = 'error'")
fails("SET log_error_verbosity = 'default'")

alice, bob = connection.copy(), connection.copy()
errors: list[str] = []
for one, key in ((alice, 1), (bob, 2)):
    one.inc_thread_sharing()
    one.set_autocommit(False)
    takes(one, key)
both((tries, alice, 2, errors), (tries, bob, 1, errors))
takes(alice, 3)
says("SET LOCAL lock_timeout = '1500ms'", bob)
tries(bob, 3, errors)
if errors != ["deadlock detected", "canceling statement due to lock timeout"]:
    raise SystemExit(f"other trouble: {errors}")

both((fails, "SELECT pg_sleep(30), %s", bob), (ends, says("SELECT pg_backend_pid()", bob)[0]))
