import type { KeyObject } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import type { Delivered } from '../../audit/delivery/deliver.ts'
import type { KeptCheckpoint } from '../../audit/log/checkpoints.ts'
import type { WorkDeps } from './work.ts'

/** What the thread begins with. Keys are passed as handles, so their bytes are in no message. */
export interface ThreadData {
  readonly url: string
  readonly level: string
  /** Milliseconds between two signs of life. */
  readonly aliveEvery: number
  /** The replica that it writes events for. */
  readonly replica: string
  readonly signing: readonly KeyObject[]
  readonly places: WorkDeps['places']
}

/** What the main thread asks for. The answer to `seal` comes on a port of its own. */
export type ThreadRequest =
  | { readonly signing: readonly KeyObject[] }
  | { readonly seal: MessagePort }
  | { readonly deliver: true }
  | { readonly close: true }

/** `null` when it is done; otherwise a `StoreError` in parts that can be sent. */
export type SealAnswer = { readonly code: string; readonly message: string } | null

/** What the thread reports by itself. */
export type ThreadNews =
  | { readonly open: true }
  | { readonly alive: true }
  /** A line of the log. */
  | { readonly line: string }
  /** It has written an event, which the main thread has to link. */
  | { readonly written: true }
  | { readonly checkpoint: KeptCheckpoint }
  | { readonly delivered: Delivered }
