import type { Action } from '../core/action.ts'
import type { Caller } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import type { Credential } from '../core/subject.ts'

/** One try at one action: the connection that waits for it, and how to get at the payload. */
export interface Attempt {
  readonly action: Action
  readonly credential: Credential
  /**
   * A digest of the upstream and the credential of the resource, which reveals neither. Part of
   * what an approval is bound to.
   */
  readonly binding: string
  /**
   * An unguessable name of the client's connection; `null` for HTTP, where requests of one client
   * may come over any connection, and one connection may carry those of many.
   */
  readonly connection: string | null
  /**
   * Takes in the whole payload and binds it. Called at most once by the gate, and only when the
   * action is to be held. Rejects with a problem (`body-too-large`, `ambiguous-request`) when the
   * payload cannot be bound or shown. Closed: the action is not held then, and does not run.
   */
  seal(): Promise<Sealed>
  /** Milliseconds for which the caller waits for people; 0 for not at all. */
  readonly waitMs: number
  readonly caller: Caller
  /** Id of the approval that the caller named, or `null`. */
  readonly approval: string | null
  /** Called when it begins to wait for people, for protocols that can tell their client so. */
  held?(waiting: Waiting): void
}

/** What an attempt waits for, as far as its agent may know. */
export interface Waiting {
  /** Id of the approval. */
  readonly approval: string
  readonly rules: readonly string[]
  /** Groups of approvers; people are not named. */
  readonly groups: readonly string[]
}

/**
 * An attempt whose caller need not wait: once it is approved, the gateway can send it by itself
 * (`Prefer: respond-async`, RFC 7240 §4.1).
 */
export interface DetachableAttempt extends Attempt {
  /**
   * Everything needed to send the payload later, except what the gateway adds on the way. Called
   * after `seal`.
   */
  spool(): Buffer
}

/**
 * The answer to a detachable attempt that people have to decide on first. The gateway keeps the
 * request, and its caller can ask for the task.
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
  /** The whole payload for people, in a form that shows it unambiguously. */
  readonly payload: JsonObject
  /**
   * A digest of what the names in the payload stand for, which the payload's digest covers too.
   * Grants that match several digests compare it. Absent where the protocol has no such names.
   */
  readonly definitions?: string | null
}
