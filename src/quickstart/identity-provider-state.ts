import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { createPrivateFile, readPrivateFile } from '../config/private-file.ts'

/** What the demo identity provider keeps, so that tokens and printed commands outlive a restart. */
export interface ProviderState {
  /** Signs tokens: private, ES256. */
  readonly key: JWK & { readonly kid: string }
  readonly cookieKey: string
  readonly consoleSecret: string
  /** One secret for all demo agents, derived per agent by its name in front: `<agent>-<secret>`. */
  readonly agentSecret: string
}

export async function openProviderState(dataDir: string): Promise<ProviderState> {
  const file = join(dataDir, 'identity-provider.json')
  const kept = readPrivateFile(file)
  if (kept !== undefined) return JSON.parse(kept) as ProviderState
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const state: ProviderState = {
    key: { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'ES256', use: 'sig' },
    cookieKey: secret(),
    consoleSecret: secret(),
    agentSecret: secret(),
  }
  createPrivateFile(file, JSON.stringify(state, null, 2))
  return state
}

const secret = () => randomBytes(24).toString('base64url')
