import type { Epoch } from '../../store/lease.ts'
import { genesis } from '../chain.ts'
import type { Finding, FindingKind } from './finding.ts'
import { HashMemory } from './hash-memory.ts'
import type { Link } from './line.ts'

export interface VerifiedChain extends Epoch {
  /** Where the export begins and ends in this chain, and the hash that it ends in. */
  readonly first: number
  readonly last: number
  readonly hash: string
}

interface Chain {
  readonly first: Link
  last: Link
  /** The line of the last link. */
  line: number
  readonly seen: HashMemory
  /** The latest time so far, in milliseconds. */
  latest: number
  /** Links that should have come, `from` to `to`, and the line before which they were missed. */
  gaps: { from: number; to: number; line: number }[]
}

/** In milliseconds: what a transaction may take between describing an event and linking it. */
const usualDelay = 60_000
/** Worthless lines that are remembered. Beyond that, what was on them counts as missing as well. */
const mostExcuses = 100_000

/** Follows the chains of an export from link to link. */
export class Chains {
  readonly #chains = new Map<string, Chain>()
  // Owned by skip() and follow(): worthless lines. Each may have been one link that is missed
  // behind it.
  #worthless: number[] = []

  skip(line: number): void {
    if (this.#worthless.length < mostExcuses) this.#worthless.push(line)
  }

  follow(link: Link, line: number): Finding[] {
    const { replica, epoch } = link.place
    const key = `${replica} ${epoch}`
    const chain = this.#chains.get(key)
    if (!chain) {
      this.#chains.set(key, begin(link, line))
      const stray = link.place.n === 1 && link.prev !== genesis
      return stray ? [finding('forked', link, line, 'A first link that follows another one.')] : []
    }
    return [...this.#proceed(chain, link, line), ...turnedBack(chain, link, line)]
  }

  #proceed(chain: Chain, link: Link, line: number): Finding[] {
    const { n } = link.place
    const expected = chain.last.place.n + 1
    if (n < expected) return [comeLate(chain, link, line)]
    const follows = n > expected || link.prev === chain.last.hash
    if (n > expected + this.#excuse(n - expected, chain.line)) {
      chain.gaps.push({ from: expected, to: n - 1, line })
    }
    chain.seen.set(n, link.hash)
    chain.last = link
    chain.line = line
    return follows
      ? []
      : [finding('forked', link, line, `This does not follow from link ${expected - 1}.`)]
  }

  /**
   * Of so many links that are missed behind this line: for how many a worthless line stands. It
   * stands for one.
   */
  #excuse(missed: number, behind: number): number {
    const first = this.#worthless.findIndex((line) => line > behind)
    return first === -1 ? 0 : this.#worthless.splice(first, missed).length
  }

  /** What has not come until the end. */
  missing(): Finding[] {
    return [...this.#chains.values()].flatMap(({ first: { place }, gaps }) =>
      gaps.map(({ from, to, line }) => ({
        kind: 'missing' as const,
        line,
        place: { ...place, n: from },
        message: from === to ? `Link ${from} is missing.` : `Links ${from} to ${to} are missing.`,
      })),
    )
  }

  summary(): VerifiedChain[] {
    return [...this.#chains.values()].map(({ first, last }) => {
      const { replica, epoch, n } = first.place
      return { replica, epoch, first: n, last: last.place.n, hash: last.hash }
    })
  }
}

function begin(link: Link, line: number): Chain {
  const latest = link.time ?? -Infinity
  const chain = { first: link, last: link, line, seen: new HashMemory(), latest, gaps: [] }
  chain.seen.set(link.place.n, link.hash)
  return chain
}

function comeLate({ seen, gaps }: Chain, link: Link, line: number): Finding {
  const { n } = link.place
  if (seen.matches(n, link.hash)) return finding('duplicate', link, line, 'This link again.')
  if (seen.has(n)) return finding('forked', link, line, `A second link ${n}, and another one.`)
  seen.set(n, link.hash)
  const index = gaps.findIndex(({ from, to }) => from <= n && n <= to)
  if (index !== -1) {
    const { from, to, line: missed } = gaps[index]!
    const parts = [
      { from, to: n - 1, line: missed },
      { from: n + 1, to, line: missed },
    ]
    gaps.splice(index, 1, ...parts.filter((part) => part.from <= part.to))
  }
  return finding('reordered', link, line, `Link ${n} is in the wrong place.`)
}

function turnedBack(chain: Chain, link: Link, line: number): Finding[] {
  if (link.time === null) return []
  const back = chain.latest - link.time
  chain.latest = Math.max(chain.latest, link.time)
  if (back <= usualDelay) return []
  const seconds = Math.round(back / 1_000)
  return [finding('time-reversal', link, line, `This is ${seconds} s before what came before it.`)]
}

function finding(kind: FindingKind, link: Link, line: number, message: string): Finding {
  return { kind, line, place: link.place, event: link.event, message }
}
