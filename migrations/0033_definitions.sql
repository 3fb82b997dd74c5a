-- What is granted for what is alike is granted for what its names stood for.

-- Stands for the definitions of what the action named when it was asked about; null where its protocol has none.
ALTER TABLE sallyport.approvals ADD COLUMN definitions text;

CREATE FUNCTION sallyport.approval_of_what_was_named() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.definitions IS DISTINCT FROM OLD.definitions THEN
    RAISE EXCEPTION 'the content of an approval cannot change' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_of_what_was_named BEFORE UPDATE ON sallyport.approvals
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_of_what_was_named();
