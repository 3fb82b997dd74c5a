import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Config, PostgresResource } from '../../config/schema.ts'
import { TlsEntrance } from '../../config/tls-entrance.ts'
import { partyKey } from '../../core/subject.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Authenticator } from '../../identity/authenticate.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { accept, Departed, type Arrival } from './accept.ts'
import { welcome, type Guest } from './arrival.ts'
import { CancelKeys } from './cancel-keys.ts'
import { Crowd } from './crowd.ts'
import { Databases } from './databases.ts'
import { Uncommitted } from './uncommitted.ts'
import { Upstream } from './login/upstream.ts'
import { farewell, Rejection } from './rejection.ts'
import { Session } from './session.ts'
import type { Analyser } from './sql/statement.ts'
import { stillTrusted } from './still-trusted.ts'
import { Strangers } from './strangers.ts'
import { WireFault } from './wire/fault.ts'
import { int32, message, cstring } from './wire/messages.ts'

/** What a database's listener needs. */
export interface PostgresServerDeps {
  readonly resource: PostgresResource
  /** A digest of the upstream and the credential of the resource, which reveals neither. */
  readonly binding: string
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'recheck' | 'suffices'>
  readonly gate: Pick<Gate, 'enforce' | 'needs' | 'whyEnded'>
  readonly analyser: Pick<Analyser, 'analyse'>
  readonly limits: Pick<Config['hold'], 'in_transaction_max' | 'max_body'>
  /** Milliseconds for which sessions may finish what runs when the gateway stops. */
  readonly drain: number
  readonly log: Log
  readonly metrics: Pick<Metrics, 'sessions'>
}

export interface PostgresServer {
  /**
   * Resolves with the address that it listens on. Rejects with the system's error: EADDRINUSE,
   * EACCES.
   */
  listen(): Promise<AddressInfo>
  /**
   * Takes no more connections, ends each session as soon as nothing runs in it, and ends all that
   * are left after `drain`.
   */
  close(): Promise<void>
}

/** Milliseconds within which a client has to show who it is. */
const startUp = 20_000
/**
 * Connections that may exist beside the sessions: of clients that have yet to show who they are, or
 * that only come to cancel something.
 */
const mostStrangers = 100
/** Milliseconds between two checks of the credentials of idle sessions. */
const lookEvery = 5_000
/** Milliseconds between two checks whether what runs may go on. */
const watchEvery = 1_000

/**
 * The listener of one database resource. Every connection shows who it is, and then has each of its
 * statements decided. Throws `MistakesError` when its certificate cannot be used.
 */
export function createPostgresServer(deps: PostgresServerDeps): PostgresServer {
  const { resource, authenticator, log, metrics } = deps
  // Reported from the start, because zero sessions is not the same as no figure.
  metrics.sessions(resource.name, 0)
  const tls = resource.tls ? new TlsEntrance(resource.tls, log, 'postgresql') : null
  const upstream = new Upstream(resource)
  const databases = new Databases(resource, log)
  const harmless = new Set(resource.harmless)
  const keys = new CancelKeys()
  const crowd = new Crowd(resource)
  const strangers = new Strangers(mostStrangers)
  const uncommitted = new Uncommitted()
  const sessions = new Set<Session>()
  const sockets = new Set<Socket>()
  const stopping = new Rejection('57P01', 'the gateway is shutting down', 'Connect again.')
  // Between statements too, so that a revoked key ends the sessions that were begun with it.
  const looking = setInterval(() => {
    for (const session of sessions) session.look()
  }, lookEvery).unref()
  const watching = setInterval(() => {
    for (const session of sessions) session.watch()
  }, watchEvery).unref()
  let closing = false

  const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true })
  server.on('connection', (raw: Socket) => {
    sockets.add(raw)
    raw.once('close', () => sockets.delete(raw))
    void arrive(raw)
  })

  async function arrive(raw: Socket): Promise<void> {
    raw.on('error', () => raw.destroy())
    const known = strangers.enter(raw)
    const late = setTimeout(() => raw.destroy(), startUp)
    let arrival: Arrival | null = null
    try {
      arrival = await accept(raw, tls)
      const { socket, opening } = arrival
      socket.on('error', () => socket.destroy())
      if (opening.kind === 'cancel') {
        // Close only after the cancel, as the server does. Clients wait for that before they send
        // their next statement, which a late cancel would hit.
        await keys.use(opening.process, opening.secret)
        socket.destroy()
        return
      }
      const guest = await welcome(arrival, resource, authenticator)
      known()
      await serve(guest, late)
    } catch (error) {
      turnAway(arrival?.socket ?? raw, error)
    } finally {
      known()
      clearTimeout(late)
    }
  }

  async function serve(guest: Guest, late: NodeJS.Timeout): Promise<void> {
    const { client, minor, start, principal, rest } = guest
    const leave = crowd.enter(partyKey(principal.subject))
    try {
      const connection = await upstream.logIn(start.parameters)
      clearTimeout(late)
      if (closing || client.destroyed) {
        connection.socket.destroy()
        throw closing ? stopping : new Departed('The client went away.')
      }
      const session: Session = new Session({
        ...deps,
        client,
        upstream: connection,
        principal,
        stillTrusted: stillTrusted(authenticator, guest),
        catalogues: databases.get(start.database),
        impacts: databases.impacts(start.database),
        outside: databases.probe(start.database),
        harmless,
        uncommitted,
        resource: resource.name,
        database: start.database,
        user: start.user,
        wait: resource.wait,
        waitInTransaction: deps.limits.in_transaction_max,
        maxHeld: deps.limits.max_body,
        cancelUpstream: () => upstream.cancel(connection),
      })
      const secret = keys.issue(connection.process, minor, session)
      sessions.add(session)
      metrics.sessions(resource.name, 1)
      client.write(greeting(connection, secret))
      session.begin(rest)
      await session.closed
      sessions.delete(session)
      metrics.sessions(resource.name, -1)
      keys.revoke(connection.process, secret)
    } finally {
      leave()
    }
  }

  function turnAway(socket: Socket, error: unknown): void {
    if (error instanceof Departed) return void socket.destroy()
    const expected = error instanceof Rejection || error instanceof WireFault
    // The operator has to see why a database cannot be reached; the agent must not see all of it.
    if (!expected)
      log.warn({ err: error, resource: resource.name }, 'a database session did not begin')
    if (socket.destroyed) return
    socket.write(farewell(error))
    socket.destroySoon()
  }

  return {
    async listen() {
      const { host, port } = resource.listen
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          resolve()
        })
      })
      const address = server.address() as AddressInfo
      tls?.open({ port: address.port })
      return address
    },
    async close() {
      closing = true
      const closed = new Promise((resolve) => server.close(resolve))
      const late = setTimeout(() => {
        for (const session of sessions) session.end(stopping)
        for (const socket of sockets) socket.destroy()
      }, deps.drain)
      for (const session of sessions) session.retire(stopping)
      await closed
      clearTimeout(late)
      clearInterval(looking)
      clearInterval(watching)
      tls?.close()
      await databases.close()
    },
  }
}

/**
 * AuthenticationOk, the server's notices and settings, our own key for cancelling, and
 * ReadyForQuery.
 */
function greeting(
  { process, parameters, notices }: Awaited<ReturnType<Upstream['logIn']>>,
  secret: Buffer,
): Buffer {
  return Buffer.concat([
    message('R', int32(0)),
    ...notices,
    ...[...parameters].map(([name, value]) => message('S', cstring(name), cstring(value))),
    message('K', int32(process), secret),
    message('Z', Buffer.from('I')),
  ])
}
