import { defineConfig } from 'vitest/config'
import { findPostgres } from './test/support/postgres.ts'

/**
 * Tests that start and kill whole processes, a browser, or databases of their own, or wait for time to pass, and others that take seconds. `npm test` leaves them out, so that it stays short;
 * `npm run test:slow` runs them, and `.ci/run` both.
 */
const slow = [
  'test/audit/{crash,export/{aside,formats},retention/{late,reach},search-hostile,search-segments,search-words}.test.ts',
  'test/audit/{anchor/anchor,delivery/{crash,syslog,webhook},log/{changed-in-the-database,second-verifier}}.test.ts',
  'test/channels/{class-24-deceiving-in-slack,outbox,slack,slack-socket,slack-trouble,webhook}.test.ts',
  'test/channels/teams/{class-18-forged-teams,class-24-deceiving-in-teams,teams,teams-trouble}.test.ts',
  'test/cli/{bin,json-text,login,quickstart,stop}.test.ts',
  'test/console/{class-26-roles,console.e2e,invisible,trusted-proxies,usage}.test.ts',
  'test/console/ui/{evidence,hostile,many,pages,run}.e2e.test.ts',
  'test/console/ui/colours.test.ts',
  'test/e2e/crash.test.ts',
  'test/e2e/observe-crash.test.ts',
  'test/e2e/respond-async{,-clients,-crash,-race}.test.ts',
  'test/e2e/{audit-anchors,audit-deliveries,secrets-of-others}.test.ts',
  'test/e2e/retention.test.ts',
  'test/e2e/{class-15-killed-under-load,class-16-changed-meanwhile,class-23-deep-json,clock-jumps,disconnect,governing,governing-identity,governing-secrets,policy-reload}.test.ts',
  'test/e2e/{grants,store-away,traces,upstream-failures,what-goes-on}.test.ts',
  'test/e2e/two-replicas.test.ts',
  'test/gate/{active-policies,class-15-races,class-16-issuer-taken-out,class-16-lost-account,life-of-an-approval,outcomes,replay,store-vanishes}.test.ts',
  'test/identity/{at-the-gateway,client-certificates,demo-provider,security-events}.test.ts',
  'test/protocols/postgres/clients/{drivers,installed,node-postgres,postgres-js,programs,query-builders}.test.ts',
  'test/policy/{compile-aside,second-evaluator}.test.ts',
  'test/protocols/http/{class-06-many-agents,class-23-limits,clients/other-languages,constant-memory,every-byte,every-byte-back,http2,interrupted,silent-connections,streaming,tls-listener,websocket}.test.ts',
  'test/quickstart/demo-database.test.ts',
  'test/protocols/postgres/{cancel,class-11-bound-{at-random,definitions},class-11-changed-definitions,class-11-lost-in-a-crash,class-20-changed-meaning,class-23-one-client,client-certificates,connect,encryption,ending,impact,own-transaction,pipeline,session-grant,streams,what-goes-on}.test.ts',
  'test/protocols/postgres/sql/{catalogue,catalogue-changes,class-20-read-differently,class-20-read-late,corpus,definitions,locks}.test.ts',
  'test/usage/{databases,models}.test.ts',
  'test/store/{comes-back,embedded,outage}.test.ts',
  'test/operation/{background,compose,container-layout,disk-full,health,promotion,restore,resting-store,secrets-lost,secrets-rotated,start,stop,tls}.test.ts',
]

/**
 * Tests of whole gateways, and of much that happens at once. An embedded store takes a second or two to open, and each of these opens some: where there is no PostgreSQL, `npm test` leaves them out
 * and says so. `.ci/run` runs them on both stores.
 */
const whole = [
  'test/audit/{anchor,delivery,retention}/**/*.test.ts',
  'test/{channels,e2e,operation,usage}/**/*.test.ts',
  'test/gate/class-16-*.test.ts',
]

/** Everything goes wrong, at random, for as long as one likes: run by hand (`npm run test:chaos`). */
const chaos = ['test/chaos/*.test.ts']

const { SALLYPORT_TEST_STORE: store, SALLYPORT_TEST_SUITE: suite } = process.env
const others = suite === 'slow' ? slow : suite === 'chaos' ? chaos : null
const short = !others && store === undefined && !findPostgres()
if (short) {
  process.stdout.write(`
There is no PostgreSQL on this machine, so the tests of whole gateways are left out: ${whole.join(', ')}.
Install Debian's package postgresql, or set SALLYPORT_TEST_STORE=embedded, to run them.
`)
}

export default defineConfig({
  test: {
    include: others ?? ['test/**/*.test.ts'],
    exclude: others ? [] : [...slow, ...chaos, ...(short ? whole : [])],
    globalSetup: 'test/support/global-setup.ts',
    // How long before a test counts as stuck, not how long it may take: CI machines are shared.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
})
