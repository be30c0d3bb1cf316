-- Hands one database over to who migrates it. It locks every table, so nobody may be talking.
SET client_min_messages = warning;
ALTER DATABASE :"DBNAME" OWNER TO rooms_owner;
REASSIGN OWNED BY rooms TO rooms_owner;

-- What the superuser made in the days when it was the application. Sequences follow their tables.
SELECT format('ALTER SCHEMA %I OWNER TO rooms_owner', nspname)
  FROM pg_namespace
  WHERE nspowner = 10 AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
\gexec
SELECT format('ALTER TABLE %s OWNER TO rooms_owner', pg_class.oid::regclass)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relowner = 10 AND relkind IN ('r', 'p', 'v', 'm', 'S')
    AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                    AND deptype IN ('a', 'i', 'e'))
\gexec
