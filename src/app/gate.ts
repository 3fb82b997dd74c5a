import { knownChannels } from '../config/check-channels.ts'
import { exposedListeners, isHostBelieved } from '../config/exposed.ts'
import { observedResources } from '../config/observed.ts'
import type { Config, Resource } from '../config/schema.ts'
import type { JsonObject } from '../core/json.ts'
import type { Announcing } from '../gate/notices/announce.ts'
import { ActiveIdentity } from '../gate/in-force/active-identity.ts'
import { ActivePolicies } from '../gate/in-force/active-policies.ts'
import type { GateContext } from '../gate/context.ts'
import { Lines } from '../gate/lines.ts'
import { authorizeFiles } from '../gate/governing/policy-errand.ts'
import { isStillTrusted } from '../identity/trusted.ts'
import { factsOf } from '../policy/attributes.ts'
import { compileAside } from '../policy/compile-aside.ts'
import { compilePolicies, type CompiledPolicies } from '../policy/compile.ts'
import { readPolicyFolder } from '../policy/load.ts'
import type { PolicyDocument } from '../policy/read-rules.ts'
import { DataUsage } from '../usage/data-usage.ts'
import { Sealer } from '../store/sealer.ts'
import type { Foundation } from './foundation.ts'

/** The gate, and the policies that it decides by. */
export interface OpenGate {
  readonly context: GateContext
  readonly policies: ActivePolicies
  readonly identity: ActiveIdentity
  readonly observed: readonly string[]
  readonly compile: (
    documents: readonly PolicyDocument[],
    from: 'here' | 'elsewhere',
  ) => CompiledPolicies
}

/**
 * Loads the policies, puts the start on record, and makes the context that every step of the gate
 * works with. Rejects with a `MistakesError`.
 */
export async function openGate(
  foundation: Foundation,
  opened: AsyncDisposableStack,
): Promise<OpenGate> {
  const { config, log, secrets, secretKeys, store, lease, leaseTimes, audit, outcomes, holds } =
    foundation
  const knownTo = (from: 'here' | 'elsewhere') => ({
    resources: config.resources.map(known),
    datasets: config.datasets,
    channels: knownChannels(config.channels),
    elsewhere: from === 'elsewhere',
  })
  const compile: OpenGate['compile'] = (documents, from) =>
    compilePolicies(documents, knownTo(from))
  const policies = opened.adopt(
    await ActivePolicies.open({
      folder: config.policies,
      read: async () => (await readPolicyFolder(config.policies)).policies,
      compile: (documents, from) => compileAside(documents, knownTo(from)),
      replica: lease.replica,
      store,
      audit,
      log,
    }),
    (it) => it.close(),
  )
  const identity = opened.adopt(
    await ActiveIdentity.open({
      own: config.identity,
      replica: lease.replica,
      ...{ store, audit, log },
    }),
    (it) => it.close(),
  )
  const observed = observedResources(config)
  warn(foundation, observed)
  await recordStart(foundation, { policies, identity, observed }, opened)
  const context: GateContext = {
    store,
    audit,
    lease,
    leaseTimes,
    outcomes,
    holds,
    lines: new Lines(),
    policies: () => policies.current,
    catchUp: () => policies.follow(),
    limits: config.hold,
    trusts: (subject, kind) => isStillTrusted(identity, subject, kind),
    sealer: new Sealer(secrets.sealing),
    observed: new Set(observed),
    announcing: announcingOf(config),
    usage: new DataUsage(store, config.datasets, log),
    log,
  }
  const adminGroup = () => identity.roles.admin?.group
  await policies.start(authorizeFiles(context, adminGroup))
  await identity.start(context)
  await secretKeys.start(context, adminGroup)
  return { context, policies, identity, observed, compile }
}

function warn({ config, log }: Foundation, observed: readonly string[]): void {
  for (const listener of exposedListeners(config.listen)) {
    log.warn(
      { listener },
      'other machines can reach this listener without TLS, and their credentials come in clear text: give it tls, or let nothing but a proxy with TLS reach it',
    )
  }
  if (isHostBelieved(config)) {
    log.warn(
      'listen.agents.public_url is not set: a proof of possession (DPoP) that was made for another server of the same Host would do here',
    )
  }
  if (observed.length === 0) return
  log.warn(
    { resources: observed },
    'mode: observe. Nothing is denied or held on these resources, only recorded',
  )
}

async function recordStart(
  { audit, log }: Foundation,
  { policies, identity, observed }: Pick<OpenGate, 'policies' | 'identity' | 'observed'>,
  opened: AsyncDisposableStack,
): Promise<void> {
  await audit.append({
    type: 'gateway.started',
    policy: policies.current.hash,
    details: {
      roles: JSON.parse(JSON.stringify(identity.roles)) as JsonObject,
      ...(observed.length > 0 && { observed: [...observed] }),
    },
  })
  opened.defer(() =>
    audit.append({ type: 'gateway.stopped' }).catch((error: unknown) => {
      // No warning, because warnings that the store causes may be left out.
      log.error({ err: error }, 'the stop is not on record')
    }),
  )
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

function known({ name, protocol }: Resource) {
  return { name, protocol, facts: factsOf(protocol) }
}
