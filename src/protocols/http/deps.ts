import type { Config, HttpResource } from '../../config/schema.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Authenticator } from '../../identity/authenticate.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Traces } from '../../telemetry/traces.ts'

/** What the listener for agents is made of. */
export interface AgentServerDeps {
  readonly listen: Config['listen']['agents']
  readonly resources: readonly HttpResource[]
  /**
   * Names the upstream and the credential that a resource is bound to, without revealing either.
   */
  readonly binding: (resource: HttpResource) => string
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly gate: Pick<
    Gate,
    'needs' | 'enforce' | 'refused' | 'whyEnded' | 'task' | 'response' | 'cancel'
  >
  /**
   * In bytes: the largest body that is held or inspected, and the largest response that is kept.
   */
  readonly limits: { readonly maxBody: number; readonly maxResponse: number }
  /** Where spans go; left out, none are made. */
  readonly traces?: Traces | undefined
  readonly log: Log
}
