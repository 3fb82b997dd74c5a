import { hash } from 'node:crypto'

/**
 * The hash tree of RFC 6962 §2.1, over leaves that are hashed already. Hashes are Buffers of 32
 * bytes.
 *
 * A perfect subtree is named by its level (0 is a leaf) and its index among those of its level: it
 * covers the leaves from `index * 2^level` on.
 */
export interface Node {
  readonly level: number
  readonly index: number
}

const inner = Buffer.from([1])

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([inner, left, right]), 'buffer')
}

/** The root of the empty tree. */
export const emptyRoot = hash('sha256', '', 'buffer')

/**
 * The fewest perfect subtrees that cover the leaves from `begin` up to and without `end`, from left
 * to right.
 */
export function cover(begin: number, end: number): Node[] {
  const nodes: Node[] = []
  for (let at = begin; at < end;) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++
    nodes.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return nodes
}

/** The root over the subtrees of `cover(0, n)`. */
export function foldRoot(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0) return emptyRoot
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

/** A range of leaves that grows to the right, kept as the hashes of its `cover`. */
export class CompactRange {
  readonly begin: number
  // Owned by append().
  #end: number
  readonly #hashes: { readonly level: number; readonly hash: Buffer }[]

  /** An empty range, or one that is restored from its `hashes`. */
  constructor(begin: number, end = begin, hashes: readonly Buffer[] = []) {
    this.begin = begin
    this.#end = end
    this.#hashes = cover(begin, end).map(({ level }, i) => ({ level, hash: hashes[i]! }))
  }

  get end(): number {
    return this.#end
  }

  get hashes(): readonly Buffer[] {
    return this.#hashes.map(({ hash }) => hash)
  }

  /** Adds a perfect subtree, which must be able to begin where the range ends. */
  append(added: Buffer, addedLevel = 0): void {
    let level = addedLevel
    let subtree = added
    let start = this.#end
    this.#end += 2 ** level
    // Two subtrees become one where the first is a left child.
    for (;;) {
      const left = this.#hashes.at(-1)
      if (left?.level !== level || (start - 2 ** level) % 2 ** (level + 1) !== 0) break
      this.#hashes.pop()
      subtree = nodeHash(left.hash, subtree)
      start -= 2 ** level
      level++
    }
    this.#hashes.push({ level, hash: subtree })
  }

  /** The root of the tree, for a range from 0. */
  root(): Buffer {
    return foldRoot(this.hashes)
  }
}
