import { readFileSync } from 'node:fs'
import { afterAll } from 'vitest'
import { parse } from 'yaml'
import { configSchema, type Config } from '../../../src/config/schema.ts'
import type { Principal } from '../../../src/core/subject.ts'
import { createAuthenticator } from '../../../src/identity/authenticate.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { collectEvents } from '../../support/control-plane.ts'
import { openTestStore } from '../../support/store.ts'
import { startTokenIssuer } from '../../support/token-issuer.ts'

/** A provider that signs what a test says, under the configuration of its page in docs/identity. */
export interface Provider {
  /** Stands for the issuer of the page, in claims too. */
  readonly issuer: string
  readonly identity: Config['identity']
  /** Who a token with these claims is. They replace all others but the times. */
  whoIs(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<Principal>
  /** Why it is refused. */
  refusal(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

/** The first block of YAML of a page. */
export function configurationOf(page: string): unknown {
  const text = readFileSync(new URL(`../../../docs/identity/${page}.md`, import.meta.url), 'utf8')
  return (parse(/```yaml\n(.*?)```/s.exec(text)![1]!) as { identity: unknown }).identity
}

export async function startProvider(page: string): Promise<Provider> {
  const idp = await startTokenIssuer()
  const documented = configSchema.shape.identity.parse(configurationOf(page))
  const real = documented.issuers[0]!.issuer
  const identity = configSchema.shape.identity.parse(
    JSON.parse(JSON.stringify(configurationOf(page)).replaceAll(real, idp.issuer)),
  )
  // The tests' issuer signs with ES256; everything else is as the page says.
  const issuers = identity.issuers.map((issuer) => ({ ...issuer, algorithms: ['ES256' as const] }))
  const authenticator = await createAuthenticator({
    identity: { ...identity, issuers },
    store: await openTestStore(),
    recorder: collectEvents().recorder,
    log: createLog('silent'),
  })
  afterAll(async () => {
    await authenticator.close()
    await idp.close()
  })

  const whoIs: Provider['whoIs'] = async (claims, header) =>
    authenticator.authenticate(
      await idp.mint({ aud: undefined, sub: undefined, ...claims }, header),
    )

  return {
    issuer: idp.issuer,
    identity,
    whoIs,
    async refusal(claims, header) {
      try {
        return `accepted as ${(await whoIs(claims, header)).subject.subject}`
      } catch (error) {
        return (error as { reason?: string }).reason ?? String(error)
      }
    },
  }
}
