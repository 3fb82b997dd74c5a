-- Every version of the policies that ever decided anything, word for word: an auditor can see what a decision's hash stands for.

CREATE TABLE sallyport.policy_versions (
  hash text PRIMARY KEY,
  -- The files as they were when this version was first loaded, comments and all: name and text.
  documents json NOT NULL,
  first_loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT ON sallyport.policy_versions TO sallyport_gateway;
