import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { MistakesError } from '../core/errors.ts'
import { createPrivateFile, readPrivateFile } from './private-file.ts'

/** Keys that the gateway makes for itself. Losing them ends logins and open approvals; leaking them lets others forge both. */
export interface Secrets {
  /** Signs the cookies of the control plane. 32 bytes. */
  readonly cookieKey: Buffer
  /** HMAC key that binds digests to upstreams and credentials without revealing either. 32 bytes. */
  readonly bindingKey: Buffer
  /** AES-256 key for what is sealed at rest. 32 bytes. */
  readonly sealingKey: Buffer
  /** Ed25519 (RFC 8032); signs audit checkpoints. */
  readonly signingKey: KeyObject
  readonly signingPublicKey: KeyObject
}

const key = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32)

const secretsFile = z.strictObject({
  version: z.literal(1),
  cookie_key: key,
  binding_key: key,
  sealing_key: key,
  /** PKCS #8, DER. */
  signing_key: z.base64(),
})

/**
 * Opens the secrets file, and creates it (mode 0600) when there is none. Throws `MistakesError` when others can read it, or it is damaged: it is
 * never made anew in silence, because open approvals and the audit log's signatures hang on it.
 */
export function openSecrets(file: string): Secrets {
  let text = readPrivateFile(file)
  if (text === undefined) {
    createPrivateFile(file, `${JSON.stringify(generate(), null, 2)}\n`)
    // Another process may have been first: what counts is what the file says.
    text = readPrivateFile(file) ?? ''
  }
  try {
    const { cookie_key, binding_key, sealing_key, signing_key } = secretsFile.parse(
      JSON.parse(text),
    )
    const der = Buffer.from(signing_key, 'base64')
    const signingKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    if (signingKey.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key')
    return {
      cookieKey: cookie_key,
      bindingKey: binding_key,
      sealingKey: sealing_key,
      signingKey,
      signingPublicKey: createPublicKey(signingKey),
    }
  } catch {
    // The cause is left out: parsers quote what they stumble over, and here that is a key.
    const message = 'The secrets file is damaged.'
    const remedy =
      'Restore it from a backup. Only if there is none, move it away and start again: everybody is logged out, and open approvals become invalid.'
    throw new MistakesError([{ file, message, remedy }])
  }
}

function generate(): z.input<typeof secretsFile> {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    version: 1,
    cookie_key: randomBytes(32).toString('base64'),
    binding_key: randomBytes(32).toString('base64'),
    sealing_key: randomBytes(32).toString('base64'),
    signing_key: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  }
}
