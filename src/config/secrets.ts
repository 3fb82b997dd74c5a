import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { MistakesError } from '../core/errors.ts'
import { Keyring, settles } from './keyring.ts'
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts'

/**
 * Keys that the gateway makes for itself. Losing them ends logins and open approvals; whoever gets
 * hold of them can forge both.
 */
export interface Secrets {
  /** Keys that sign the cookies of the control plane. */
  readonly cookies: Keyring
  /**
   * The HMAC key that binds digests to upstreams and credentials without revealing either. 32
   * bytes.
   */
  readonly bindingKey: Buffer
  /** AES-256 keys for what is stored encrypted. */
  readonly sealing: Keyring
  /**
   * Ed25519 keys (RFC 8032), the newest first. All of them sign each audit checkpoint, so that
   * somebody who trusts an earlier key learns the newest.
   */
  readonly signing: readonly KeyObject[]
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
  /** The signing key before it. */
  previous_signing_key: z.base64().optional(),
  /**
   * Keys made by `sallyport secrets rotate`, the oldest first. Each set replaces the one before it.
   */
  newer: z
    .array(z.strictObject({ made_at: z.iso.datetime(), cookie_key: key, sealing_key: key }))
    .default([]),
})

/**
 * Opens the secrets file, and creates it (mode 0600) when there is none. Throws a `MistakesError`
 * when others can read it or it is damaged. An existing file is never replaced silently, because
 * open approvals and the audit log's signatures depend on it.
 */
export function openSecrets(file: string): Secrets {
  let text = readPrivateFile(file)
  if (text === undefined) {
    createPrivateFile(file, `${JSON.stringify(generate(), null, 2)}\n`)
    // Another process may have created it first, so the file is read again.
    text = readPrivateFile(file) ?? ''
  }
  try {
    const { cookie_key, binding_key, sealing_key, signing_key, previous_signing_key, newer } =
      secretsFile.parse(JSON.parse(text))
    const signing = [signing_key, ...(previous_signing_key ? [previous_signing_key] : [])]
    return {
      cookies: keyring(cookie_key, newer, (it) => it.cookie_key),
      bindingKey: binding_key,
      sealing: keyring(sealing_key, newer, (it) => it.sealing_key),
      signing: signing.map(readSigningKey),
    }
  } catch {
    // Without the cause, because parsers quote the text at which they fail, and here that is a key.
    const message = 'The secrets file is damaged.'
    const remedy =
      'Restore it from a backup. Only if there is none, move it away and start again: everybody is logged out, and open approvals become invalid.'
    throw new MistakesError([{ file, message, remedy }])
  }
}

function readSigningKey(text: string): KeyObject {
  const key = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key')
  return key
}

type Newer = z.output<typeof secretsFile>['newer']

function keyring(first: Buffer, newer: Newer, of: (it: Newer[number]) => Buffer): Keyring {
  const later = newer.map((it) => ({ key: of(it), madeAt: new Date(it.made_at) }))
  return new Keyring([{ key: first, madeAt: new Date(0) }, ...later])
}

/**
 * Adds new keys for cookies and for what is stored encrypted. Earlier ones are kept for reading
 * until nothing that they wrote can be left (`kept`). A new key signs checkpoints together with the
 * one before it, until the next rotation. The binding key stays the same, because open approvals
 * could not be found again with another. Throws a `MistakesError` like `openSecrets`.
 */
export function rotateSecrets(file: string, now = new Date()): void {
  openSecrets(file)
  const { newer = [], ...rest } = JSON.parse(readPrivateFile(file)!) as z.input<typeof secretsFile>
  const all = [...newer, { made_at: now.toISOString(), ...newKeys() }]
  const first = { cookie_key: rest.cookie_key, sealing_key: rest.sealing_key }
  const signing = { signing_key: newSigningKey(), previous_signing_key: rest.signing_key }
  while (all[0] && new Date(all[0].made_at).getTime() + settles + kept < now.getTime()) {
    const { made_at: _, ...successor } = all.shift()!
    Object.assign(first, successor)
  }
  replacePrivateFile(
    file,
    `${JSON.stringify({ ...rest, ...first, ...signing, newer: all }, null, 2)}\n`,
  )
}

/**
 * How long a key can still be needed once its successor is used for writing, in milliseconds.
 * Longer than any session, approval or kept response lasts.
 */
const kept = 30 * 24 * 3_600_000

function newKeys(): { cookie_key: string; sealing_key: string } {
  return {
    cookie_key: randomBytes(32).toString('base64'),
    sealing_key: randomBytes(32).toString('base64'),
  }
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  return privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
}

function generate(): z.input<typeof secretsFile> {
  return {
    version: 1,
    ...newKeys(),
    binding_key: randomBytes(32).toString('base64'),
    signing_key: newSigningKey(),
  }
}
