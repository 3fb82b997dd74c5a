-- Every version of the policies that ever decided anything, word for word: an auditor can see what a decision's hash stands for.

CREATE TABLE sallyport.policy_versions (
  hash text PRIMARY KEY,
  -- File name → text.
  documents json NOT NULL,
  first_loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT ON sallyport.policy_versions TO sallyport_gateway;
