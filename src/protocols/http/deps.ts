import type { Config, HttpResource } from '../../config/schema.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Authenticator } from '../../identity/authenticate.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Traces } from '../../telemetry/traces.ts'

/** What the agents' listener needs. */
export interface AgentServerDeps {
  readonly listen: Config['listen']['agents']
  readonly resources: readonly HttpResource[]
  /** A digest of the upstream and the credential of a resource, which reveals neither. */
  readonly binding: (resource: HttpResource) => string
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly gate: Pick<
    Gate,
    'needs' | 'enforce' | 'refused' | 'whyEnded' | 'task' | 'response' | 'cancel'
  >
  /**
   * In bytes: the largest body that is held or inspected, and the largest response that is kept for
   * later.
   */
  readonly limits: { readonly maxBody: number; readonly maxResponse: number }
  /** Where spans go; absent where none are made. */
  readonly traces?: Traces | undefined
  readonly log: Log
}
