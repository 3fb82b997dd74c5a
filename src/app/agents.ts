import type { AddressInfo } from 'node:net'
import { isHttp, isPostgres, type Config, type PostgresResource } from '../config/schema.ts'
import type { GateContext } from '../gate/context.ts'
import { DetachedRuns } from '../gate/detached/detached-runs.ts'
import { Gate } from '../gate/gate.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import { createAgentServer } from '../protocols/http/server.ts'
import { createPostgresServer, type PostgresServer } from '../protocols/postgres/server.ts'
import { createAnalyser } from '../protocols/postgres/sql/analyse.ts'
import { Traces } from '../telemetry/traces.ts'
import type { Foundation } from './foundation.ts'
import { bindingOf } from './keys.ts'

export interface ListeningPorts {
  readonly http: number
  /** By the name of the resource. */
  readonly databases: Readonly<Record<string, number>>
}

/** The listeners that agents connect to. They do not listen yet. */
export interface Agents {
  listen(): Promise<AddressInfo>
  /** The actual ports, once it listens. */
  readonly ports: ListeningPorts
  /** Begins to run approved requests whose callers do not wait. */
  startDetached(): void
}

export async function openAgents(
  foundation: Foundation,
  context: GateContext,
  authenticator: Authenticator,
  opened: AsyncDisposableStack,
): Promise<Agents> {
  const { config, secrets, log } = foundation
  const http = createAgentServer({
    listen: config.listen.agents,
    resources: config.resources.filter(isHttp),
    binding: (resource) => bindingOf(resource, secrets),
    authenticator,
    gate: new Gate(context),
    limits: { maxBody: config.hold.max_body, maxResponse: config.hold.max_response },
    traces: openTraces(foundation, opened),
    log,
  })
  opened.defer(() => http.close())
  const databases = await openDatabases(foundation, context, authenticator, opened)
  const detached = opened.adopt(new DetachedRuns(context, http.prepare), (it) => it.stop())
  let ports = portsAsked(config)
  return {
    async listen() {
      const address = await http.listen()
      const real: Record<string, number> = {}
      for (const [name, server] of databases) real[name] = (await server.listen()).port
      ports = { http: address.port, databases: real }
      return address
    },
    get ports() {
      return ports
    },
    startDetached: () => detached.start(),
  }
}

function portsAsked({ listen, resources }: Config): ListeningPorts {
  const databases = resources.filter(isPostgres).map(({ name, listen: { port } }) => [name, port])
  return { http: listen.agents.address.port, databases: Object.fromEntries(databases) }
}

function openTraces(
  { config, lease, log, metrics }: Foundation,
  opened: AsyncDisposableStack,
): Traces | undefined {
  const { traces } = config.telemetry
  if (!traces) return undefined
  const onDropped = (spans: number) => metrics.spansDropped(spans)
  return opened.adopt(new Traces({ ...traces, instance: lease.replica, log, onDropped }), (it) =>
    it.close(),
  )
}

async function openDatabases(
  { config, secrets, log, metrics }: Foundation,
  context: GateContext,
  authenticator: Authenticator,
  opened: AsyncDisposableStack,
): Promise<Map<string, PostgresServer>> {
  const resources = config.resources.filter(isPostgres)
  // The parser is loaded only where there is something to parse, because that takes time and
  // memory.
  if (resources.length === 0) return new Map()
  const analyser = opened.adopt(await createAnalyser(), (it) => it.close())
  const open = (resource: PostgresResource) => {
    const server = createPostgresServer({
      resource,
      binding: bindingOf(resource, secrets),
      authenticator,
      gate: new Gate(context),
      analyser,
      limits: config.hold,
      drain: config.listen.agents.drain,
      log,
      metrics,
    })
    opened.defer(() => server.close())
    return server
  }
  return new Map(resources.map((resource) => [resource.name, open(resource)]))
}
