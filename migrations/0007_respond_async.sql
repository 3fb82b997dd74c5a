-- What `Prefer: respond-async` needs: requests that the gateway sends itself once they are approved, and their responses until they are fetched. Both are
-- sealed (AES-256-GCM) by keys that the database does not have.

CREATE TABLE sallyport.spooled_requests (
  approval uuid PRIMARY KEY REFERENCES sallyport.approvals (id),
  -- The attempt that asked last, as it was decided, and the credential that it showed: by its id or hash, never itself.
  action json NOT NULL,
  credential jsonb NOT NULL,
  key_id text NOT NULL,
  sealed bytea NOT NULL
);

CREATE TABLE sallyport.kept_responses (
  approval uuid PRIMARY KEY REFERENCES sallyport.approvals (id),
  key_id text NOT NULL,
  -- NULL once it is gone, or never was kept; the row stays, and says why.
  sealed bytea,
  gone text CHECK (gone IN ('delivered', 'expired', 'too-large', 'no-answer')),
  expires_at timestamptz NOT NULL,
  CHECK ((sealed IS NULL) = (gone IS NOT NULL))
);
CREATE INDEX kept_responses_expiring ON sallyport.kept_responses (expires_at) WHERE gone IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON sallyport.spooled_requests TO sallyport_gateway;
GRANT SELECT, INSERT, UPDATE (sealed, gone) ON sallyport.kept_responses TO sallyport_gateway;
