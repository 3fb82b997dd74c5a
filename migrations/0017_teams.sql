-- Where the Teams app is installed: what it takes to say something there without having been spoken to. Written as Teams tells it, on any replica, and read by all.
CREATE TABLE sallyport.teams_places (
  tenant text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('team', 'chat', 'person')),
  -- Of a team and a chat, Teams' own id; of a person, the object id in the directory.
  id text NOT NULL,
  -- What people call a team; empty where there is no name.
  name text NOT NULL,
  conversation text NOT NULL,
  service_url text NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, kind, id)
);

GRANT SELECT, INSERT, DELETE ON sallyport.teams_places TO sallyport_gateway;
GRANT UPDATE (name, conversation, service_url, noted_at) ON sallyport.teams_places TO sallyport_gateway;
