-- What the servers' role may do in one database, now and in what the owner will make: read and write rows, and nothing
-- else. It locks no table. Running this again changes nothing.
--
--   psql DATABASE --set servers=NAME [--set owner=NAME] --file rights.sql     the owner is who runs it
\if :{?owner}
\else
  \set owner :USER
\endif
SET client_min_messages = warning;
REVOKE CREATE, TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT USAGE ON SCHEMAS TO :"servers";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"servers";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO :"servers";

SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'servers')
  FROM pg_namespace
  WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'USAGE')
\gexec
SELECT format(CASE relkind WHEN 'S' THEN 'GRANT SELECT, USAGE, UPDATE ON SEQUENCE %s TO %I'
              ELSE 'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I' END, pg_class.oid::regclass, :'servers')
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND pg_has_role(relowner, 'USAGE')
    AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
\gexec
