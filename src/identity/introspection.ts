import {
  ClientSecretBasic,
  ResponseBodyError,
  tokenIntrospection,
  type Configuration,
} from 'openid-client'
import type { IntrospectionConfig, IssuerConfig } from '../config/schema.ts'
import type { Log } from '../telemetry/log.ts'
import { AtMost } from './at-most.ts'
import { claim, type Claims } from './claims.ts'
import { tokenHash } from './jwt.ts'
import { discoverProvider } from './provider.ts'
import { Recent } from './recent.ts'
import { Refusal } from './refusal.ts'

const capacity = 10_000
/**
 * The most questions at a time. Anybody can present nonsense, and must not be able to make us flood
 * the issuer.
 */
const atATime = 8
/**
 * Milliseconds after a failure for which the issuer is not asked again, so that nobody waits for it
 * to time out.
 */
const coolDown = 1_000

/**
 * What the issuer says about a token (RFC 7662), at most `cache` milliseconds ago. Rejects with the
 * `Refusal` `token-inactive` when it says that the token is invalid. Closed: rejects with
 * `introspection-failed` when it gives no clear answer.
 */
export type Introspect = (token: string) => Promise<Introspected>

export interface Introspected {
  readonly claims: Claims
  /** Milliseconds from now for which this can be believed. */
  readonly forMs: number
}

interface Answer {
  readonly meaning: Claims | Refusal
  /** On the clock of performance.now(). */
  readonly until: number
}

export function createIntrospection(
  { issuer }: Pick<IssuerConfig, 'issuer'>,
  { client_id, client_secret, cache }: IntrospectionConfig,
  log: Log,
): Introspect {
  const answers = new Recent<Answer>(capacity)
  const underWay = new Map<string, Promise<Answer>>()
  const questions = new AtMost(atATime)
  // Owned by ask(): the issuer's metadata, kept once it has been read, and when it last failed.
  let discovered: Configuration | undefined
  let failedAt = -Infinity

  async function ask(token: string): Promise<Claims> {
    if (performance.now() - failedAt < coolDown) throw new Refusal('introspection-failed')
    try {
      discovered ??= await discoverProvider(issuer, {
        id: client_id,
        authentication: ClientSecretBasic(client_secret),
      })
      return await tokenIntrospection(discovered, token, { token_type_hint: 'access_token' })
    } catch (cause) {
      // An error answer about one token is no reason not to ask about others, because anybody can
      // present such a token.
      if (!(cause instanceof ResponseBodyError)) failedAt = performance.now()
      log.warn({ issuer, err: cause }, 'this issuer could not be asked about a token')
      throw new Refusal('introspection-failed', { cause })
    }
  }

  async function askAndRemember(token: string, hash: string): Promise<Answer> {
    const before = performance.now()
    const said = await questions.run(() => ask(token))
    // Counts from the question, because the token may have been revoked while the answer was on its
    // way.
    const answer = { meaning: meaningOf(said, issuer), until: before + cache }
    answers.set(hash, answer, answer.until)
    return answer
  }

  return async (token) => {
    const hash = tokenHash(token)
    const { meaning, until } = answers.get(hash, performance.now()) ?? (await answerTo(token, hash))
    if (meaning instanceof Refusal) throw meaning
    return { claims: meaning, forMs: until - performance.now() }
  }

  function answerTo(token: string, hash: string): Promise<Answer> {
    const asked =
      underWay.get(hash) ?? askAndRemember(token, hash).finally(() => underWay.delete(hash))
    underWay.set(hash, asked)
    return asked
  }
}

function meaningOf(said: Claims, issuer: string): Claims | Refusal {
  if (claim(said, 'active') !== true) return new Refusal('token-inactive')
  const iss = claim(said, 'iss')
  if (iss !== undefined && iss !== issuer)
    return new Refusal('introspection-failed', { about: 'iss' })
  return said
}
