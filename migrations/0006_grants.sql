-- What approvers granted beyond one run: the same subject may do the same, or what the rule says is alike, until it expires.

CREATE TABLE sallyport.grants (
  id uuid PRIMARY KEY,
  approval uuid NOT NULL REFERENCES sallyport.approvals (id),
  subject_key text NOT NULL,
  resource text NOT NULL,
  -- Upstream and credential that the resource was bound to.
  binding text NOT NULL,
  -- Either exactly this digest, or every action whose attributes have these values: path → value.
  digest text,
  match json,
  -- The hold rules that were answered; an action that another rule holds too needs an approval of its own.
  rules text[] NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  CHECK ((digest IS NULL) <> (match IS NULL))
);

CREATE INDEX grants_of_subject ON sallyport.grants (subject_key, resource, expires_at);

-- A grant cannot be changed or taken back in place: it ends, or the policies stop it at its next use.
GRANT SELECT, INSERT ON sallyport.grants TO sallyport_gateway;
