-- What has to be told outside of the gateway, written in the transaction that makes it true, and delivered afterwards by any replica.

CREATE TABLE sallyport.notices (
  id uuid PRIMARY KEY,
  approval uuid NOT NULL REFERENCES sallyport.approvals (id),
  -- Who delivers it (`slack`, `webhook:siem`), and to which place there (`#data-approvals`; empty where there is only one).
  channel text NOT NULL,
  target text NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('announce', 'escalate', 'remind')),
  -- A message is edited in place, so what counts is the newest version that is wanted, and the one that is shown.
  wanted integer NOT NULL DEFAULT 1,
  shown integer NOT NULL DEFAULT 0,
  -- Where the message is, in the words of its channel. Until there is one, nothing has been posted as far as is known.
  receipt jsonb,
  due_at timestamptz NOT NULL,
  -- Failures since the last success.
  attempts integer NOT NULL DEFAULT 0,
  -- The attempt that has it now, and until when nobody else takes it.
  claim uuid,
  claimed_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  delivered_at timestamptz,
  failed_at timestamptz,
  -- In words, without secrets.
  last_error text,
  given_up_at timestamptz,
  UNIQUE (approval, channel, target, purpose)
);

CREATE INDEX notices_due ON sallyport.notices (channel, due_at) WHERE shown < wanted AND given_up_at IS NULL;
CREATE INDEX notices_delivered ON sallyport.notices (channel, delivered_at DESC) WHERE delivered_at IS NOT NULL;
CREATE INDEX notices_failed ON sallyport.notices (channel, failed_at DESC) WHERE failed_at IS NOT NULL;

GRANT SELECT, INSERT ON sallyport.notices TO sallyport_gateway;
GRANT UPDATE (wanted, shown, receipt, due_at, attempts, claim, claimed_until, delivered_at, failed_at, last_error, given_up_at)
  ON sallyport.notices TO sallyport_gateway;

-- An account in a chat that belongs to a person, who said so after logging in.
CREATE TABLE sallyport.chat_links (
  channel text NOT NULL,
  -- Slack team, Teams tenant; and who in it.
  tenant text NOT NULL,
  member text NOT NULL,
  -- What the chat called them then: for display only.
  name text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel, tenant, member),
  FOREIGN KEY (issuer, subject) REFERENCES sallyport.people (issuer, subject)
);
CREATE INDEX chat_links_of ON sallyport.chat_links (issuer, subject);

-- A link that somebody was given in a chat, to say who they are. Of one use; only its hash is here.
CREATE TABLE sallyport.chat_link_offers (
  hash bytea PRIMARY KEY,
  channel text NOT NULL,
  tenant text NOT NULL,
  member text NOT NULL,
  name text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX chat_link_offers_expiring ON sallyport.chat_link_offers (expires_at);

-- A link cannot be turned to somebody else: it ends, and another is made.
GRANT SELECT, INSERT, DELETE ON sallyport.chat_links, sallyport.chat_link_offers TO sallyport_gateway;

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
