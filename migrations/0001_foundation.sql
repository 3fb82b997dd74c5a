-- The gateway's sessions run as this role. The tables belong to whoever runs the migrations, and each migration grants what the
-- gateway may do with its tables: never more than it needs.
DO $$
BEGIN
  CREATE ROLE sallyport_gateway NOLOGIN;
EXCEPTION
  -- Roles are shared by all databases of a server: another one has it already, or was faster just now.
  WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$
BEGIN
  GRANT sallyport_gateway TO CURRENT_USER;
EXCEPTION
  -- It was granted by hand, to a user that may not grant it. If it was not, the first session will say so.
  WHEN insufficient_privilege THEN NULL;
END $$;

GRANT USAGE ON SCHEMA sallyport TO sallyport_gateway;
GRANT SELECT ON sallyport.migrations TO sallyport_gateway;

-- One run of one gateway process is a replica; what it does under one unbroken lease is an epoch of it.
CREATE TABLE sallyport.replicas (
  replica uuid NOT NULL,
  epoch bigint NOT NULL CHECK (epoch > 0),
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- By the database's clock. Until then, and a margin, nobody else may call this epoch dead.
  lease_until timestamptz NOT NULL,
  -- Set once, by the replica itself or by the one that found it dead.
  closed_at timestamptz,
  PRIMARY KEY (replica, epoch)
);
CREATE INDEX replicas_open ON sallyport.replicas (lease_until) WHERE closed_at IS NULL;

GRANT SELECT, INSERT, UPDATE (lease_until, closed_at) ON sallyport.replicas TO sallyport_gateway;

-- A restored or promoted database can be the past: what was asked for in another life of it is never used.
--
-- Changes when a dump is restored (its tables are made anew), with another server, and with every promotion and point-in-time recovery (the timeline).
CREATE FUNCTION sallyport.incarnation() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('%s-%s-%s', system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
                'sallyport.replicas'::regclass::oid)
    FROM pg_control_system()
$$;
