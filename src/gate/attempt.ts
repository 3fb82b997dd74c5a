import type { Action } from '../core/action.ts'
import type { Caller } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import type { Credential } from '../core/subject.ts'

/** One try at one action: the connection that waits for it, and how to get at the payload. */
export interface Attempt {
  readonly action: Action
  readonly credential: Credential
  /**
   * Names the upstream and the credential that the resource is bound to, without revealing either.
   * Part of the digest.
   */
  readonly binding: string
  /**
   * Names the connection that it comes by, so that nobody can guess it; `null` where the protocol
   * has none worth the name: a request of HTTP may come by any, and a connection carry those of
   * many.
   */
  readonly connection: string | null
  /**
   * Takes in the whole payload and binds it. Called at most once, and only when the action is to be
   * held. Rejects with a problem (`body-too-large`, `ambiguous-request`) when the payload cannot be
   * bound or shown: closed, it is not held then, and does not run.
   */
  seal(): Promise<Sealed>
  /** How long the caller waits for people, in milliseconds; 0 is not at all. */
  readonly waitMs: number
  readonly caller: Caller
  /** Id of the approval that the caller named, or `null`. */
  readonly approval: string | null
  /** Called when it begins to wait for people: for protocols that can say so meanwhile. */
  held?(waiting: Waiting): void
}

/** What an attempt waits for, as its agent may know it. */
export interface Waiting {
  /** Id of the approval. */
  readonly approval: string
  readonly rules: readonly string[]
  /** Groups of approvers; people are not named. */
  readonly groups: readonly string[]
}

/**
 * One that need not wait: once people have approved it, the gateway can send it by itself
 * (`Prefer: respond-async`, RFC 7240 §4.1).
 */
export interface DetachableAttempt extends Attempt {
  /**
   * Everything that it takes to send the payload later, but for what the gateway adds on the way.
   * Called after `seal`.
   */
  spool(): Buffer
}

/**
 * A detachable attempt that people have to decide on first: the gateway has it, and its caller asks
 * for the task.
 */
export interface Accepted {
  readonly action: string
  readonly task: JsonObject
  /** Where to ask for the task: a path on the agents' listener. */
  readonly endpoint: string
}

/** A payload, taken in whole. */
export interface Sealed {
  /** SHA-256, in hex, over everything that will be forwarded, byte for byte. */
  readonly digest: string
  /** The same for people: all of it, in a form that shows it unambiguously. */
  readonly payload: JsonObject
  /**
   * Stands for what the names in it stand for, which the digest covers too; of use where several
   * digests are alike. None where its protocol has no such names.
   */
  readonly definitions?: string | null
}
