-- What identity remembers beyond people, sessions and keys: ids that count once, and subjects whose sessions or accounts have ended.

-- Ids of proofs of possession (DPoP) and of security events, by hash, until they are too old to be shown again.
CREATE TABLE sallyport.used_ids (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  until timestamptz NOT NULL
);
CREATE INDEX used_ids_over ON sallyport.used_ids (until);
GRANT SELECT, INSERT, DELETE ON sallyport.used_ids TO sallyport_gateway;

-- Whose sessions an identity provider ended, or whose account it disabled. A name is any that the issuer knows them by, folded as src/core/person.ts does
-- it. Rows stay: a token can outlive whatever would be a good time to forget them.
CREATE TABLE sallyport.ended_subjects (
  issuer text NOT NULL,
  name text NOT NULL,
  -- Whatever was issued until then is worth nothing.
  ended_at timestamptz,
  -- Nothing is worth anything, whenever it was issued.
  disabled boolean NOT NULL DEFAULT false,
  -- When `disabled` was said: an older event that arrives later does not undo a newer one.
  disabled_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, name)
);
CREATE INDEX ended_subjects_changed ON sallyport.ended_subjects (changed_at);
GRANT SELECT, INSERT, UPDATE ON sallyport.ended_subjects TO sallyport_gateway;

-- When the token or login was made that said so. Groups of an older one do not replace those of a newer one.
ALTER TABLE sallyport.people ADD COLUMN groups_at timestamptz NOT NULL DEFAULT 'epoch';
