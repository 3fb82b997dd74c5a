-- The transparency log: all chains of all replicas, merged into one order, under one hash tree (RFC 6962). Whoever keeps a signed checkpoint of it can
-- tell later that nothing before it was changed, taken out or put in.

-- How far the tree has grown. One row: whoever locks it has the turn, and until it commits nobody else can add anything.
CREATE TABLE sallyport.audit_tree (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- Names this log, and no other (C2SP tlog-checkpoint: the origin).
  origin text NOT NULL DEFAULT 'sallyport.dev/log/' || gen_random_uuid(),
  -- Leaves.
  size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
  -- Hashes of the perfect subtrees that cover all leaves, 32 bytes each: what the root is computed from.
  subtrees bytea NOT NULL DEFAULT '',
  turn_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO sallyport.audit_tree DEFAULT VALUES;

CREATE FUNCTION sallyport.audit_tree_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size < OLD.size OR NEW.origin <> OLD.origin THEN
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'SP004';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_tree_grows BEFORE UPDATE ON sallyport.audit_tree
  FOR EACH ROW EXECUTE FUNCTION sallyport.audit_tree_grows();

-- Where each stretch of links is in the tree: the leaves from `start` on are its events, in its order.
CREATE TABLE sallyport.audit_tree_stretches (
  start bigint PRIMARY KEY CHECK (start >= 0),
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  first bigint NOT NULL,
  count int NOT NULL CHECK (count > 0),
  -- Does not go back along the tree, unless the database's clock did.
  sequenced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (replica, epoch, first)
);
CREATE INDEX audit_tree_stretches_by_time ON sallyport.audit_tree_stretches (sequenced_at);

-- How much of each chain is in the tree. Not a record: it follows from the stretches.
CREATE TABLE sallyport.audit_tree_chains (
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  -- The link that comes next.
  next bigint NOT NULL,
  -- Its epoch is over, and nothing comes any more.
  ended boolean NOT NULL DEFAULT false,
  PRIMARY KEY (replica, epoch)
);

-- Hashes of perfect subtrees, for proofs: in the tile of level t are those of level 8t of the tree, 256 to a tile (C2SP tlog-tiles). Not a record:
-- they follow from the leaves.
CREATE TABLE sallyport.audit_tree_tiles (
  level int NOT NULL,
  index bigint NOT NULL,
  hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192),
  PRIMARY KEY (level, index)
);
ALTER TABLE sallyport.audit_tree_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- What was signed: one root for each size of the tree, for good. The newest is signed again every few seconds, to show that nothing was left out since.
CREATE TABLE sallyport.audit_checkpoints (
  size bigint PRIMARY KEY,
  root bytea NOT NULL CHECK (octet_length(root) = 32),
  -- A signed note (C2SP signed-note).
  note text NOT NULL,
  signed_at timestamptz NOT NULL
);

CREATE FUNCTION sallyport.audit_root_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size <> OLD.size OR NEW.root <> OLD.root THEN
    RAISE EXCEPTION 'a tree of % leaves has one root', OLD.size USING ERRCODE = 'SP004';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_root_stays BEFORE UPDATE ON sallyport.audit_checkpoints
  FOR EACH ROW EXECUTE FUNCTION sallyport.audit_root_stays();
ALTER TABLE sallyport.audit_checkpoints ENABLE ALWAYS TRIGGER audit_root_stays;

-- Public keys that checkpoints were ever signed with, as verifier keys (C2SP signed-note).
CREATE TABLE sallyport.audit_signing_keys (
  key text PRIMARY KEY,
  used_from timestamptz NOT NULL DEFAULT clock_timestamp()
);

SELECT sallyport.audit_protect('sallyport.audit_tree_stretches', 'audit_is_append_only');
SELECT sallyport.audit_protect('sallyport.audit_signing_keys', 'audit_is_append_only');

GRANT SELECT, UPDATE (size, subtrees, turn_at) ON sallyport.audit_tree TO sallyport_gateway;
GRANT SELECT, INSERT ON sallyport.audit_tree_stretches, sallyport.audit_signing_keys TO sallyport_gateway;
GRANT SELECT, INSERT, UPDATE ON sallyport.audit_tree_chains, sallyport.audit_tree_tiles TO sallyport_gateway;
GRANT SELECT, INSERT, UPDATE (root, note, signed_at) ON sallyport.audit_checkpoints TO sallyport_gateway;
