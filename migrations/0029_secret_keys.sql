-- Which keys of the secrets file are in use, by names that do not reveal them. A key that is in none of these rows neither signs nor opens anything, whoever wrote it into the file.
CREATE TABLE sallyport.secret_keys (
  id text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('cookies', 'sealing', 'signing')),
  -- What released it, where a rule held it.
  approval uuid REFERENCES sallyport.approvals (id),
  in_use_since timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT ON sallyport.secret_keys TO sallyport_gateway;
