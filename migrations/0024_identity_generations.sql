-- Who is who, and who may do what here, is in force for all replicas: one version of the identity section of the configuration, without its secrets. The newest counts.
CREATE TABLE sallyport.identity_generations (
  generation bigint PRIMARY KEY CHECK (generation > 0),
  hash text NOT NULL,
  document json NOT NULL,
  -- Whose configuration it comes from.
  replica uuid NOT NULL,
  -- What released it, where a rule held it.
  approval uuid REFERENCES sallyport.approvals (id),
  activated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Of two replicas that put something into force at once, the key refuses the second.
CREATE FUNCTION sallyport.identity_generation_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.generation <> (SELECT coalesce(max(generation), 0) + 1 FROM identity_generations) THEN
    RAISE EXCEPTION 'a generation follows the one before it' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER identity_generation_follows BEFORE INSERT ON sallyport.identity_generations
  FOR EACH ROW EXECUTE FUNCTION sallyport.identity_generation_follows();

-- Nothing is taken back but by the owner of the tables: that is for a team that has locked itself out.
GRANT SELECT, INSERT ON sallyport.identity_generations TO sallyport_gateway;
