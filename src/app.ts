import { openAgents } from './app/agents.ts'
import { urlOf } from './app/address.ts'
import { openChannels } from './app/chats.ts'
import { openControl } from './app/control.ts'
import { openDeliveries } from './app/deliveries.ts'
import { openFoundation, type Foundation } from './app/foundation.ts'
import { openGate } from './app/gate.ts'
import { nonceKeyOf } from './app/keys.ts'
import { keepingOf } from './audit/retention/retain.ts'
import type { Config } from './config/schema.ts'
import { version } from './core/version.ts'
import type { ActiveIdentity } from './gate/in-force/active-identity.ts'
import { startHousekeeping } from './gate/housekeeping.ts'
import { keyCreation, keyRevocation } from './gate/governing/key-errands.ts'
import { identityErrand } from './gate/governing/identity-errand.ts'
import { policyErrand } from './gate/governing/policy-errand.ts'
import { secretsErrand } from './gate/governing/secret-keys.ts'
import {
  legalHoldCreation,
  legalHoldRelease,
  retention,
} from './gate/governing/retention-errands.ts'
import { createAuthenticator, type Authenticator } from './identity/authenticate.ts'
import { dpopNonces } from './identity/dpop-nonces.ts'
import { leaseTimes, type LeaseTimes } from './store/lease.ts'
import { createLog, type Log } from './telemetry/log.ts'

export interface RunningGateway {
  /** Where agents connect; the real port, also where 0 was asked for. */
  readonly agentsUrl: string
  /** Where people go. */
  readonly controlUrl: string
  /** The port of each database, by the name of its resource. */
  readonly databasePorts: Readonly<Record<string, number>>
  /**
   * Stops taking requests, lets those that run finish, answers the held ones, and closes
   * everything.
   */
  close(): Promise<void>
}

/**
 * The composition root: the one place that wires everything, in the order in which it is opened.
 * Rejects with `MistakesError` for whatever the person who starts it can mend; what had been opened
 * by then is closed again. A store that is away is waited for, until `signal`: it rejects with that
 * one's reason then.
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
  // Everything that is opened is closed in the opposite order, at the end or when something later
  // fails to open.
  await using opened = new AsyncDisposableStack()

  const foundation = await openFoundation(config, { log, times, signal }, opened)
  const gate = await openGate(foundation, opened)
  const { context, policies, identity } = gate
  const authenticator = await openAuthenticator(foundation, identity, opened)
  const agents = await openAgents(foundation, context, authenticator, opened)
  const control = await openControl(foundation, gate, agents, authenticator, pages, opened)
  const { control: listen } = config.listen
  const controlUrl = () => listen.public_url ?? urlOf(listen, control.server.address())
  const consoleUrl = () => controlUrl().replace(/\/+$/, '')
  const channels = await openChannels(foundation, context, control, consoleUrl, opened)

  // First of all when closing: whoever waits gets the pending answer, so that the listeners can
  // close.
  opened.defer(() => context.holds.drain())
  const { store, audit, lease } = foundation
  const desk = { store, recorder: audit, log }
  const housekeeping = startHousekeeping(context, {
    'policy.activate': policyErrand({ store, audit, replica: lease.replica, log }),
    'identity.change': identityErrand({
      ...{ audit, replica: lease.replica },
      announce: () => identity.announce(),
    }),
    'secrets.rotate': secretsErrand(audit, foundation.secretKeys),
    'key.create': keyCreation(desk),
    'key.revoke': keyRevocation(desk),
    'audit.retain': retention(keepingOf(config)),
    'legal_hold.create': legalHoldCreation(),
    'legal_hold.release': legalHoldRelease(),
  })
  opened.adopt(housekeeping, (it) => it.stop())
  await housekeeping.once()
  agents.startDetached()

  await openDeliveries(foundation)
  await control.listen(listen.address)
  const http = await agents.listen()
  const databasePorts = agents.ports.databases
  channels.start()

  const [agentsUrl, peopleUrl] = [urlOf(config.listen.agents, http), controlUrl()]
  const databases = Object.keys(databasePorts).length > 0 && { databases: databasePorts }
  const { hash: policy } = policies.current
  log.info(
    { version, agents: agentsUrl, control: peopleUrl, ...databases, store: store.kind, policy },
    'started',
  )
  const running = opened.move()
  return {
    agentsUrl,
    controlUrl: peopleUrl,
    databasePorts,
    async close() {
      log.info('stopping')
      await running.disposeAsync()
      log.info('stopped')
    },
  }
}

async function openAuthenticator(
  { config, secrets, store, audit, log, metrics }: Foundation,
  identity: ActiveIdentity,
  opened: AsyncDisposableStack,
): Promise<Authenticator> {
  const authenticator = await createAuthenticator({
    identity,
    nonces: config.listen.agents.dpop_nonces ? dpopNonces(nonceKeyOf(secrets)) : null,
    store,
    recorder: audit,
    log,
    onRefusal: (reason) => metrics.refused(reason),
  })
  identity.onChange((now) => authenticator.trust(now))
  // It may have changed while the authenticator was being made.
  authenticator.trust(identity)
  return opened.adopt(authenticator, (it) => it.close())
}
