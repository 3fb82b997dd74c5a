import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { Holds } from './approvals/hold.ts'
import { openAuditLog } from './audit/append.ts'
import { Sequencer } from './audit/log/sequencer.ts'
import { WebhookChannel } from './channels/webhook/channel.ts'
import { knownChannels } from './config/check-channels.ts'
import { exposedListeners } from './config/exposed.ts'
import { observedResources } from './config/observed.ts'
import {
  isHttp,
  isPostgres,
  type Config,
  type ListenerConfig,
  type Resource,
} from './config/schema.ts'
import { openSecrets, type Secrets } from './config/secrets.ts'
import { approvalStream } from './console/routes/approval-stream.ts'
import { approvalRoutes } from './console/routes/approvals.ts'
import { auditRoutes } from './console/routes/audit.ts'
import { channelRoutes } from './console/routes/channels.ts'
import { linkRoutes } from './console/routes/links.ts'
import { evaluationRoutes } from './console/routes/evaluation.ts'
import { metricsRoutes } from './console/routes/metrics.ts'
import { policyRoutes } from './console/routes/policies.ts'
import { replayRoutes } from './console/routes/replay.ts'
import { usageRoutes } from './console/routes/usage.ts'
import { transparencyRoutes } from './console/routes/transparency.ts'
import { createControlServer } from './console/server.ts'
import { openStoreWhenThere } from './console/waiting-room.ts'
import type { JsonObject } from './core/json.ts'
import { version } from './core/version.ts'
import type { Announcing } from './gate/announce.ts'
import { ActivePolicies } from './gate/active-policies.ts'
import type { Channel } from './gate/channel.ts'
import type { GateContext } from './gate/context.ts'
import { Delivery } from './gate/delivery.ts'
import { DetachedRuns } from './gate/detached-runs.ts'
import { authorizeExport } from './gate/export-errand.ts'
import { Gate } from './gate/gate.ts'
import { govern } from './gate/govern.ts'
import { healthOf } from './gate/health.ts'
import { recordRotation } from './gate/secrets-rotated.ts'
import { startHousekeeping } from './gate/housekeeping.ts'
import { keyCreation, keyRevocation } from './gate/key-errands.ts'
import { Outcomes } from './gate/outcomes.ts'
import { authorizeFiles, policyErrand } from './gate/policy-errand.ts'
import { createAuthenticator } from './identity/authenticate.ts'
import { factsOf } from './policy/attributes.ts'
import { compilePolicies } from './policy/compile.ts'
import { readPolicyFolder } from './policy/load.ts'
import type { PolicyDocument } from './policy/read-rules.ts'
import { createAgentServer } from './protocols/http/server.ts'
import { createPostgresServer } from './protocols/postgres/server.ts'
import { createAnalyser } from './protocols/postgres/sql/analyse.ts'
import { leaseTimes, openLease, type LeaseTimes } from './store/lease.ts'
import { Sealer } from './store/sealer.ts'
import { createLog, type Log } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { Traces } from './telemetry/traces.ts'

export interface RunningGateway {
  /** Where agents connect; the real port, also where 0 was asked for. */
  readonly agentsUrl: string
  /** Where people go. */
  readonly controlUrl: string
  /** The port of each database, by the name of its resource. */
  readonly databasePorts: Readonly<Record<string, number>>
  /** Stops taking requests, lets those that run finish, answers the held ones, and closes everything. */
  close(): Promise<void>
}

/**
 * The composition root: the one place that wires everything. Rejects with `MistakesError` for whatever the person who starts it can mend; what had been
 * opened by then is closed again. A store that is away is waited for, until `signal`: it rejects with that one's reason then.
 */
export async function startGateway(
  config: Config,
  {
    log = createLog(config.log.level),
    pages = null,
    times = leaseTimes,
    signal,
  }: { log?: Log; pages?: string | null; times?: LeaseTimes; signal?: AbortSignal } = {},
): Promise<RunningGateway> {
  // Everything that is opened is closed in the opposite order, at the end or when something later fails to open.
  await using opened = new AsyncDisposableStack()

  const secrets = openSecrets(config.secrets.file)
  // A store that is away when the gateway stops is no reason to stop half way.
  const tooLate = (what: string) => (error: unknown) => log.warn({ err: error }, what)
  const metrics = new Metrics(config.resources.map(({ name }) => name))
  metrics.watchProcess()
  const store = opened.adopt(await openStoreWhenThere(config, log, signal), (it) => it.end())
  const lease = opened.adopt(await openLease(store, times), (it) =>
    it.close().catch(tooLate('the lease was not given back: others wait until it runs out')),
  )
  const audit = opened.adopt(await openAuditLog({ store, lease, log, metrics }), (it) => it.close())
  const sequencer = opened.adopt(
    new Sequencer({
      signing: secrets.signing,
      store,
      audit,
      log,
      onCheckpoint: (checkpoint) => metrics.checkpointed(checkpoint),
    }),
    (it) => it.close(),
  )
  const outcomes = opened.adopt(new Outcomes(lease, log), (it) => it.close())
  const holds = opened.adopt(new Holds(store, log), (it) => it.stop())
  await holds.start()

  const compile = (documents: readonly PolicyDocument[], from: 'here' | 'elsewhere') =>
    compilePolicies(documents, {
      resources: config.resources.map(known),
      channels: knownChannels(config.channels),
      elsewhere: from === 'elsewhere',
    })
  const policies = opened.adopt(
    await ActivePolicies.open({
      folder: config.policies,
      read: async () => (await readPolicyFolder(config.policies)).policies,
      compile,
      replica: lease.replica,
      store,
      audit,
      log,
    }),
    (it) => it.close(),
  )
  for (const listener of exposedListeners(config.listen)) {
    log.warn(
      { listener },
      'other machines can reach this listener without TLS, and their credentials come in clear text: give it tls, or let nothing but a proxy with TLS reach it',
    )
  }
  const observed = observedResources(config)
  if (observed.length > 0) {
    log.warn(
      { resources: observed },
      'mode: observe. Nothing is denied or held on these resources, only recorded',
    )
  }
  await recordRotation({ store, audit }, { cookies: secrets.cookies, sealing: secrets.sealing })
  await audit.append({
    type: 'gateway.started',
    policy: policies.current.hash,
    // Who may do what here comes from the configuration: a change of it is seen from one start to the next.
    details: {
      roles: JSON.parse(JSON.stringify(config.identity.roles)) as JsonObject,
      ...(observed.length > 0 && { observed: [...observed] }),
    },
  })
  opened.defer(() =>
    audit.append({ type: 'gateway.stopped' }).catch(tooLate('the stop is not on record')),
  )
  const context: GateContext = {
    store,
    audit,
    lease,
    leaseTimes: times,
    outcomes,
    holds,
    policies: () => policies.current,
    catchUp: () => policies.follow(),
    limits: config.hold,
    sealer: new Sealer(secrets.sealing),
    observed: new Set(observed),
    announcing: announcingOf(config),
    log,
  }
  const adminGroup = config.identity.roles.admin?.group
  await policies.start(authorizeFiles(context, adminGroup))
  const authenticator = opened.adopt(
    await createAuthenticator({
      identity: config.identity,
      store,
      recorder: audit,
      log,
      onRefusal: (reason) => metrics.refused(reason),
    }),
    (it) => it.close(),
  )

  const { traces: exported } = config.telemetry
  const traces =
    exported &&
    opened.adopt(
      new Traces({
        ...exported,
        instance: lease.replica,
        log,
        onDropped: (spans) => metrics.spansDropped(spans),
      }),
      (it) => it.close(),
    )
  const agents = createAgentServer({
    listen: config.listen.agents,
    resources: config.resources.filter(isHttp),
    binding: (resource) => bindingOf(resource, secrets),
    authenticator,
    gate: new Gate(context),
    limits: { maxBody: config.hold.max_body, maxResponse: config.hold.max_response },
    traces,
    log,
  })
  opened.defer(() => agents.close())
  const postgres = config.resources.filter(isPostgres)
  // Loading the parser takes time and memory: only where there is something to parse.
  const analyser =
    postgres.length > 0 ? opened.adopt(await createAnalyser(), (it) => it.close()) : null
  const databases = postgres.map((resource) => {
    const server = createPostgresServer({
      resource,
      binding: bindingOf(resource, secrets),
      authenticator,
      gate: new Gate(context),
      analyser: analyser!,
      limits: config.hold,
      drain: config.listen.agents.drain,
      log,
    })
    opened.defer(() => server.close())
    return { name: resource.name, server }
  })
  const detached = opened.adopt(new DetachedRuns(context, agents.prepare), (it) => it.stop())
  const health = healthOf(context, () => policies.behind)
  const control = await createControlServer({
    identity: config.identity,
    publicUrl: config.listen.control.public_url,
    trustedProxies: config.listen.control.trusted_proxies,
    tls: config.listen.control.tls,
    cookieKeys: secrets.cookies,
    csrfKey: csrfKeyOf(secrets),
    store,
    authenticator,
    recorder: audit,
    govern: (errand) => govern(context, errand),
    log,
    obstacle: () => health.obstacle(),
    pages,
  })
  opened.defer(() => control.close())
  await control.register(approvalRoutes, { gate: context })
  await control.register(approvalStream, { gate: context })
  await control.register(channelRoutes, { gate: context })
  await control.register(linkRoutes, { store, recorder: audit })
  await control.register(auditRoutes, {
    store,
    audit,
    authorizeExport: (subject, asked) => authorizeExport(context, subject, asked),
  })
  await control.register(transparencyRoutes, { store, sequencer })
  await control.register(usageRoutes, { store })
  await control.register(evaluationRoutes, { policies: () => policies.current })
  await control.register(policyRoutes, { policies, gate: context, observed })
  await control.register(replayRoutes, {
    store,
    policies: () => policies.current,
    // Also of the past, and so about resources that may be gone.
    compile: (documents) => compile(documents, 'elsewhere'),
  })
  await control.register(metricsRoutes, {
    metrics,
    facts: () => health.facts(),
    token: config.metrics.token,
    behindProxy: config.listen.control.public_url !== undefined,
  })

  const consoleUrl = () =>
    (
      config.listen.control.public_url ?? urlOf(config.listen.control, control.server.address())
    ).replace(/\/+$/, '')
  // Nobody votes from a chat without a login: the configuration has been checked for it.
  const voting = { gate: context, consoleUrl, maxGroupAgeMs: config.identity.login?.session ?? 0 }
  // Their libraries take tens of megabytes, and a good part of a second: only where they are used.
  const slack =
    config.channels.slack &&
    (await import('./channels/slack/open.ts')).openSlack(config.channels.slack, voting)
  if (slack?.routes) await control.register(slack.routes)
  const teams =
    config.channels.teams &&
    (await (await import('./channels/teams/open.ts')).openTeams(config.channels.teams, voting))
  if (teams) await control.register(teams.routes)

  // First of all when closing: whoever waits gets the pending answer, so that the listeners can close.
  opened.defer(() => holds.drain())
  const desk = { store, recorder: audit, log }
  const errands = {
    'policy.activate': policyErrand({ store, audit, replica: lease.replica, log }),
    'key.create': keyCreation(desk),
    'key.revoke': keyRevocation(desk),
  }
  const housekeeping = opened.adopt(startHousekeeping(context, errands), (it) => it.stop())
  await housekeeping.once()
  detached.start()

  await control.listen(config.listen.control.address)
  const address = await agents.listen()
  const databasePorts: Record<string, number> = {}
  for (const { name, server } of databases) databasePorts[name] = (await server.listen()).port

  const agentsUrl = urlOf(config.listen.agents, address)
  const controlUrl =
    config.listen.control.public_url ?? urlOf(config.listen.control, control.server.address())
  const channels: Channel[] = [
    ...(slack ? [slack.channel] : []),
    ...(teams ? [teams.channel] : []),
    ...Object.entries(config.channels.webhooks).map(([name, it]) => new WebhookChannel(name, it)),
  ]
  for (const channel of channels) {
    const delivery = new Delivery(channel, {
      gate: context,
      consoleUrl: consoleUrl(),
      onAttempt: (attempt) => metrics.attempted(attempt),
    })
    opened.adopt(delivery, (it) => it.stop())
  }
  if (slack) {
    slack.start()
    opened.defer(() => slack.stop())
  }
  const { hash: policy } = policies.current
  log.info(
    {
      version,
      agents: agentsUrl,
      control: controlUrl,
      ...(databases.length > 0 && { databases: databasePorts }),
      store: store.kind,
      policy,
    },
    'started',
  )
  const running = opened.move()
  return {
    agentsUrl,
    controlUrl,
    databasePorts,
    async close() {
      log.info('stopping')
      await running.disposeAsync()
      log.info('stopped')
    },
  }
}

function announcingOf({ channels }: Config): Announcing {
  const { to, remind, escalate } = channels.default
  return {
    channels: knownChannels(channels).map((name) => name.replace(/:$/, '')),
    to,
    remindMs: remind,
    escalate: escalate && { afterMs: escalate.after, to: escalate.to },
  }
}

/** Not one of those that rotate: a page that is open keeps its token. */
function csrfKeyOf({ bindingKey }: Secrets): Buffer {
  return createHmac('sha256', bindingKey).update('sallyport csrf').digest()
}

/** Names where a resource leads and with which credential, without revealing either: a change of one of them is another action. */
function bindingOf({ name, upstream, credential }: Resource, { bindingKey }: Secrets): string {
  return createHmac('sha256', bindingKey)
    .update(JSON.stringify([name, upstream, credential ?? null]))
    .digest('hex')
}

function known({ name, protocol }: Resource) {
  return { name, protocol, facts: factsOf(protocol) }
}

function urlOf({ tls }: ListenerConfig, address: AddressInfo | string | null): string {
  const { address: host, port, family } = address as AddressInfo
  const anywhere = host === '0.0.0.0' || host === '::'
  return `${tls ? 'https' : 'http'}://${anywhere ? 'localhost' : family === 'IPv6' ? `[${host}]` : host}:${port}`
}
