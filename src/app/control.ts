import { approvalStream } from '../console/routes/approval-stream.ts'
import { approvalRoutes } from '../console/routes/approvals.ts'
import { auditRoutes } from '../console/routes/audit.ts'
import { channelRoutes } from '../console/routes/channels.ts'
import { deliveryRoutes } from '../console/routes/deliveries.ts'
import { evaluationRoutes } from '../console/routes/evaluation.ts'
import { evidenceRoutes } from '../console/routes/evidence.ts'
import { linkRoutes } from '../console/routes/links.ts'
import { metricsRoutes } from '../console/routes/metrics.ts'
import { policyRoutes } from '../console/routes/policies.ts'
import { replayRoutes } from '../console/routes/replay.ts'
import { resourceRoutes } from '../console/routes/resources.ts'
import { savedSearchRoutes } from '../console/routes/saved-searches.ts'
import { retentionRoutes } from '../console/routes/retention.ts'
import { traceRoutes } from '../console/routes/traces.ts'
import { transparencyRoutes } from '../console/routes/transparency.ts'
import { usageRoutes } from '../console/routes/usage.ts'
import { keepingOf } from '../audit/retention/retain.ts'
import type { ControlServer } from '../console/context.ts'
import { createControlServer } from '../console/server.ts'
import type { JsonObject } from '../core/json.ts'
import type { Subject } from '../core/subject.ts'
import { authorizeExport } from '../gate/governing/export-errand.ts'
import { govern } from '../gate/governing/govern.ts'
import { healthOf } from '../gate/health.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import { readPolicyFolder } from '../policy/load.ts'
import type { Agents } from './agents.ts'
import { openExports } from './exports/open.ts'
import type { Foundation } from './foundation.ts'
import type { OpenGate } from './gate.ts'
import { csrfKeyOf } from './keys.ts'
import { reachableResources } from './reachable.ts'

/**
 * Opens the control plane with all routes except those of chats. It does not listen yet. `pages`:
 * the folder of the built console.
 */
export async function openControl(
  { config, log, secrets, metrics, store, audit, background }: Foundation,
  { context, policies, identity, observed, compile }: OpenGate,
  agents: Agents,
  authenticator: Authenticator,
  pages: string | null,
  opened: AsyncDisposableStack,
): Promise<ControlServer> {
  const { control: listen } = config.listen
  const deliveries = Object.keys(config.audit.deliveries)
  const health = healthOf(context, () => policies.behind, deliveries, background)
  const control = await createControlServer({
    identity,
    publicUrl: listen.public_url,
    trustedProxies: listen.trusted_proxies,
    tls: listen.tls,
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
  const exporting = {
    ...{ store, audit, sequencer: background },
    authorizeExport: (subject: Subject, asked: JsonObject) =>
      authorizeExport(context, subject, asked),
  }
  await control.register(auditRoutes, { ...exporting, exportText: openExports(config, store) })
  await control.register(evidenceRoutes, exporting)
  await control.register(retentionRoutes, { gate: context, keeping: keepingOf(config) })
  await control.register(traceRoutes, { store })
  await control.register(savedSearchRoutes, { store })
  await control.register(transparencyRoutes, { store, sequencer: background })
  await control.register(deliveryRoutes, { store, names: deliveries })
  await control.register(usageRoutes, { store })
  await control.register(resourceRoutes, {
    resources: () => reachableResources(config, agents.ports),
  })
  await control.register(evaluationRoutes, { policies: () => policies.current })
  await control.register(policyRoutes, {
    ...{ policies, gate: context, observed },
    tests: async () => (await readPolicyFolder(config.policies)).tests,
  })
  await control.register(replayRoutes, {
    store,
    policies: () => policies.current,
    // Compiles past policies too, whose resources may be gone.
    compile: (documents) => compile(documents, 'elsewhere'),
  })
  await control.register(metricsRoutes, {
    metrics,
    facts: () => health.facts(),
    token: config.metrics.token,
    behindProxy: listen.public_url !== undefined,
  })
  return control
}
