-- Who there is: `postgres` administers the server and cannot come in by network; `rooms_owner` migrates, and owns the
-- database and what is in it; `rooms` is the servers, and may what rights.sql lists. Neither of them may change anything
-- of the server. Running this again changes nothing, also beside those who talk.
\set password `cat /run/secrets/postgres_password`
\set owner_password `cat /run/secrets/postgres_owner_password`
SET client_min_messages = warning;

-- Volumes of earlier versions have `rooms` as the superuser that initdb makes, who can be renamed but not demoted.
-- Nobody can rename himself.
SELECT rolname = 'rooms' AS is_superuser FROM pg_roles WHERE oid = 10
\gset
\if :is_superuser
  \warn 'rooms is the superuser: this becomes postgres, and rooms a role of its own'
  CREATE ROLE mender SUPERUSER;
  SET SESSION AUTHORIZATION mender;
  ALTER ROLE rooms RENAME TO postgres;
  RESET SESSION AUTHORIZATION;
  DROP ROLE mender;
\endif

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['rooms', 'rooms_owner']) AS name
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE rooms LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
ALTER ROLE rooms_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE postgres PASSWORD NULL;
-- What `rooms` owns because an earlier version made it, the owner may migrate before it is handed over.
GRANT rooms TO rooms_owner;
