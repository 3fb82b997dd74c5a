import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Keyring } from '../config/keyring.ts'
import type { Config, TlsConfig } from '../config/schema.ts'
import type { Govern } from '../gate/governing/govern.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import type { Recorder } from '../identity/recorder.ts'
import type { Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Other routes are plugins of it: `await server.register(routes, { … })`. Each route says in
 * `config.access` who may call it.
 */
export type ControlServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Stable: probes and alerts rely on these. */
export type Obstacle = 'draining' | 'store-away' | 'lease-lost' | 'policies-unreadable'

export interface ControlServerDeps {
  /** Read anew for each request: it can change. */
  readonly identity: Config['identity']
  /** How people reach it; without one, by loopback and the port that it listens on. */
  readonly publicUrl: string | undefined
  /** Addresses of the proxies whose word on who calls is believed; none, if left out. */
  readonly trustedProxies?: readonly string[]
  /** What it proves itself with; left out, it speaks http. */
  readonly tls?: TlsConfig | undefined
  /** Sign cookies. */
  readonly cookieKeys: Keyring
  /** Binds CSRF tokens to their session. */
  readonly csrfKey: Buffer
  readonly store: Store
  readonly authenticator: Authenticator
  readonly recorder: Recorder
  /**
   * Asks the policies about what is done to the gateway itself: the approval that it waits for, or
   * `null`. Throws `denied`.
   */
  readonly govern: Govern
  readonly log: Log
  /** What keeps this replica from taking work now, or `null`. */
  readonly obstacle: () => Promise<Obstacle | null>
  /** Folder of the built console; `null` for the API alone. */
  readonly pages: string | null
}
