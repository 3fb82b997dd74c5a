-- A restored or promoted database can be the past: approvals in it may have been used since. What was asked for in another life of the database is never used.

-- Changes when a dump is restored (its tables are made anew), with another server, and with every promotion and point-in-time recovery (the timeline).
CREATE FUNCTION sallyport.incarnation() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('%s-%s-%s', system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
                'sallyport.approvals'::regclass::oid)
    FROM pg_control_system()
$$;

ALTER TABLE sallyport.approvals ADD COLUMN incarnation text NOT NULL DEFAULT sallyport.incarnation();
ALTER TABLE sallyport.grants ADD COLUMN incarnation text NOT NULL DEFAULT sallyport.incarnation();

CREATE FUNCTION sallyport.approval_of_this_life() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.incarnation <> OLD.incarnation THEN
    RAISE EXCEPTION 'the content of an approval cannot change' USING ERRCODE = 'SP002';
  END IF;
  IF NEW.state IN ('approved', 'dispatching') AND OLD.incarnation <> incarnation() THEN
    RAISE EXCEPTION 'this approval is from before the database was restored or promoted' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_of_this_life BEFORE UPDATE ON sallyport.approvals
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_of_this_life();
