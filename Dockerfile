# The version is the one that package.json pins for development, so that what was tested is what runs.
ARG NODE=node:24.21.0-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build
# Optional dependencies bring a Node for machines that have none: this image has one.
RUN npm prune --omit=dev --omit=optional

FROM ${NODE}
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY bin /app/bin
COPY migrations /app/migrations
COPY policies /app/policies
COPY schema /app/schema
COPY examples/quickstart /app/examples/quickstart
# The one place besides /tmp that is written to: secrets.json, and the embedded store where there is no PostgreSQL.
RUN install -d -m 0700 -o node -g node /data && ln -s /app/bin/sallyport.js /usr/local/bin/sallyport
VOLUME /data
WORKDIR /data
# The image's user `node`, in numbers: Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "/app/bin/healthcheck.js"]
# Without the option, V8 takes up to 550 MiB for some seconds, in which it compiles the SQL parser once more: containers have limits (docs/postgres.md).
ENTRYPOINT ["node", "--liftoff-only", "/app/dist/cli/main.js"]
CMD ["serve", "--config", "/etc/sallyport/sallyport.yaml"]
