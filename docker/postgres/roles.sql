-- Who may do what: `postgres` administers the server and cannot come in by network, `rooms` is the application. It owns
-- its database and what is in it, and may change nothing of the server. Running this again changes nothing.
\set password `cat /run/secrets/postgres_password`

-- Volumes of earlier versions have `rooms` as the superuser that initdb makes, who can be renamed but not demoted.
-- Nobody can rename himself.
SELECT rolname = 'rooms' AS is_superuser FROM pg_roles WHERE oid = 10
\gset
\if :is_superuser
  \warn 'rooms is the superuser: this becomes postgres, and rooms the owner of its database'
  CREATE ROLE mender SUPERUSER;
  SET SESSION AUTHORIZATION mender;
  ALTER ROLE rooms RENAME TO postgres;
  RESET SESSION AUTHORIZATION;
  DROP ROLE mender;
\endif

SELECT 'CREATE ROLE rooms' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rooms')
\gexec
ALTER ROLE rooms LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
ALTER ROLE postgres PASSWORD NULL;
ALTER DATABASE rooms OWNER TO rooms;

-- What the superuser made in the days when it was the application. Sequences follow their tables.
SELECT format('ALTER SCHEMA %I OWNER TO rooms', nspname)
  FROM pg_namespace
  WHERE nspowner = 10 AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
\gexec
SELECT format('ALTER TABLE %s OWNER TO rooms', pg_class.oid::regclass)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relowner = 10 AND relkind IN ('r', 'p', 'v', 'm', 'S')
    AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                    AND deptype IN ('a', 'i', 'e'))
\gexec
