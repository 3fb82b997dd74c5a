import type { Store } from '../../store/db.ts'
import { proveConsistency } from '../log/prove.ts'
import type { KeptCheckpoint } from '../log/checkpoints.ts'
import { cosignatureIn, type WitnessKey } from './cosignature.ts'

/** Milliseconds that one request may take. */
const patience = 5_000
/** The most bytes of an answer, which has a few lines. */
const longest = 16 * 1024

/**
 * Asks a witness to cosign checkpoints (C2SP tlog-witness). A witness cosigns only a log that
 * continues what it has seen before, so a log that was rewritten, or of which others are shown
 * another version, gets no cosignature.
 */
export class Witness {
  readonly #url: string
  readonly #key: WitnessKey
  readonly #store: Store
  // Owned by cosign(): the size that the witness saw last. If this is wrong, the witness corrects
  // it.
  #seen = 0

  constructor(url: string, key: WitnessKey, store: Store) {
    this.#url = `${url.replace(/\/+$/, '')}/add-checkpoint`
    this.#key = key
    this.#store = store
  }

  /** Resolves to the note with a verified cosignature. Rejects when there is none. */
  async cosign({ size, note }: KeptCheckpoint): Promise<string> {
    let answer = await this.#ask(size, note)
    if (answer.status === 409) {
      this.#seen = sizeIn(answer.text, size)
      answer = await this.#ask(size, note)
    }
    if (answer.status !== 200) throw new Error(`the witness answered with status ${answer.status}`)
    const line = cosignatureIn(answer.text.split('\n'), note, this.#key)
    if (line === null) throw new Error('the witness answered without a cosignature of its key')
    this.#seen = size
    return `${note}${line}\n`
  }

  async #ask(size: number, note: string): Promise<{ status: number; text: string }> {
    const old = this.#seen
    const proof = old === 0 ? [] : await proveConsistency(this.#store, old, size)
    const lines = proof.map((hash) => `${hash.toString('base64')}\n`)
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: `old ${old}\n${lines.join('')}\n${note}`,
      // With a redirect, somebody else would be asked.
      redirect: 'error',
      signal: AbortSignal.timeout(patience),
    })
    return { status: response.status, text: await shortText(response) }
  }
}

/**
 * The size in an answer 409, which the witness saw last. Closed: a witness that saw more than there
 * is has seen another log.
 */
function sizeIn(text: string, size: number): number {
  const seen = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN
  if (seen <= size) return seen
  throw new Error(`the witness says that it saw ${text.trim().slice(0, 20)} events of this log`)
}

async function shortText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > longest) throw new Error('the witness answered with too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
