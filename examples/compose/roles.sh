#!/bin/sh
# Runs once, when the database is created: the gateway's login can do what the gateway does, and nothing else. Tables belong to the owner,
# who migrates (docs/operations.md).
set -eu
psql -v ON_ERROR_STOP=1 -v password="$GATEWAY_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE sallyport_gateway NOLOGIN;
CREATE ROLE gateway LOGIN PASSWORD :'password' IN ROLE sallyport_gateway;
SQL
