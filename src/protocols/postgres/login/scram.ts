import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/**
 * The hash of the server's certificate that the login is bound to (RFC 5929 §4); `null` for none.
 */
export type ChannelBinding = Buffer | null

/** The server did not prove that it knows the password, or breaks the rules of SCRAM. */
class ScramError extends Error {
  override readonly name = 'ScramError'
}

/** A hostile server must not burn our time (PostgreSQL's default is 4,096). */
const mostIterations = 1_000_000

/**
 * Keeps the salted password, which takes milliseconds to compute and is the same for every login of
 * a role. It is as secret as the password, and never leaves memory.
 */
export class SaltedPasswords {
  readonly #password: string
  readonly #salted = new Map<string, Promise<Buffer>>()

  constructor(password: string) {
    this.#password = normalised(password)
  }

  get(salt: string, iterations: number): Promise<Buffer> {
    const key = `${iterations} ${salt}`
    const known = this.#salted.get(key)
    if (known) return known
    const made = derive(this.#password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256')
    // A role has one salt until its password changes, so the old entry is of no more use.
    this.#salted.clear()
    this.#salted.set(key, made)
    return made
  }
}

/**
 * The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677). Good for one
 * login.
 */
export class ScramClient {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS'
  readonly #passwords: SaltedPasswords
  readonly #binding: ChannelBinding
  readonly #header: string
  readonly #nonce = randomBytes(18).toString('base64')
  // Owned by answer().
  #serverSignature: Buffer | null = null

  /**
   * `offered`: the mechanisms that the server names. Throws a `ScramError` when we know none of
   * them.
   */
  constructor(offered: readonly string[], passwords: SaltedPasswords, binding: ChannelBinding) {
    this.#passwords = passwords
    const plus = binding !== null && offered.includes('SCRAM-SHA-256-PLUS')
    if (!plus && !offered.includes('SCRAM-SHA-256'))
      throw new ScramError('the server offers no SCRAM-SHA-256')
    this.mechanism = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
    this.#binding = plus ? binding : null
    // `y` says that we could have bound the channel. A server that did offer it learns that
    // somebody has removed its offer.
    this.#header = plus ? 'p=tls-server-end-point,,' : binding === null ? 'n,,' : 'y,,'
  }

  get first(): string {
    return `${this.#header}${this.#bare}`
  }

  // PostgreSQL takes the name from the start-up message, and ignores the one in here.
  get #bare(): string {
    return `n=*,r=${this.#nonce}`
  }

  /**
   * The message with our proof, in answer to the server's first message. Rejects with a
   * `ScramError`.
   */
  async answer(serverFirst: string): Promise<string> {
    const { r: nonce, s: salt, i } = attributesOf(serverFirst)
    const iterations = Number(i)
    if (!nonce?.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new ScramError("the server's nonce does not begin with ours")
    if (!salt || !/^[1-9]\d*$/.test(i ?? '') || iterations > mostIterations)
      throw new ScramError("the server's salt or iteration count cannot be used")
    const salted = await this.#passwords.get(salt, iterations)
    const clientKey = hmac(salted, 'Client Key')
    const bound = Buffer.concat([Buffer.from(this.#header), this.#binding ?? Buffer.alloc(0)])
    const withoutProof = `c=${bound.toString('base64')},r=${nonce}`
    const signed = `${this.#bare},${serverFirst},${withoutProof}`
    const signature = hmac(createHash('sha256').update(clientKey).digest(), signed)
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), signed)
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** Throws a `ScramError` unless the server knows the password too. */
  verify(serverFinal: string): void {
    const signature = Buffer.from(attributesOf(serverFinal)['v'] ?? '', 'base64')
    const expected = this.#serverSignature
    if (!expected || signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new ScramError('the server did not prove that it knows the password')
  }
}

function attributesOf(text: string): Partial<Record<string, string>> {
  return Object.fromEntries(text.split(',').map((part) => [part[0] ?? '', part.slice(2)]))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/**
 * SASLprep (RFC 4013), as far as servers go: any space becomes U+0020, invisible characters vanish,
 * and the rest is normalised to NFKC.
 */
function normalised(password: string): string {
  return password
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(
      /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g,
      '',
    )
    .normalize('NFKC')
}
