import { cover, foldRoot, nodeHash, type Node } from './merkle.ts'

/** Looks up the hash of a perfect subtree. */
export type NodeHash = (node: Node) => Buffer

/** The largest power of two below `n`. */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/**
 * The hash of any subtree. Proofs ask for subtrees in a fixed order, so a recording `hashOf` tells
 * which they need.
 */
function subtree(begin: number, end: number, hashOf: NodeHash): Buffer {
  return foldRoot(cover(begin, end).map(hashOf))
}

/**
 * The hashes beside the path from leaf `index` to the root of the first `size` leaves (RFC 6962
 * §2.1.1).
 */
export function inclusionProof(index: number, size: number, hashOf: NodeHash): Buffer[] {
  const path = (begin: number, end: number): Buffer[] => {
    if (end - begin === 1) return []
    const middle = begin + split(end - begin)
    return index < middle
      ? [...path(begin, middle), subtree(middle, end, hashOf)]
      : [...path(middle, end), subtree(begin, middle, hashOf)]
  }
  return path(0, size)
}

/**
 * The proof that the tree of the first `size` leaves begins with the tree of the first `older` (RFC
 * 6962 §2.1.2).
 */
export function consistencyProof(older: number, size: number, hashOf: NodeHash): Buffer[] {
  const proof = (begin: number, end: number, whole: boolean): Buffer[] => {
    if (older === end) return whole ? [] : [subtree(begin, end, hashOf)]
    const middle = begin + split(end - begin)
    return older <= middle
      ? [...proof(begin, middle, whole), subtree(middle, end, hashOf)]
      : [...proof(middle, end, false), subtree(begin, middle, hashOf)]
  }
  return older === 0 || older === size ? [] : proof(0, size, true)
}

/**
 * The root that follows from a leaf and its inclusion proof (RFC 9162 §2.1.3.2); `null` for a proof
 * of another shape.
 */
export function rootOfInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
): Buffer | null {
  if (index >= size) return null
  const rest = [...proof]
  const climb = (begin: number, end: number): Buffer | null => {
    if (end - begin === 1) return leaf
    const middle = begin + split(end - begin)
    const below = index < middle ? climb(begin, middle) : climb(middle, end)
    const beside = rest.shift()
    if (!below || !beside) return null
    return index < middle ? nodeHash(below, beside) : nodeHash(beside, below)
  }
  const root = climb(0, size)
  return rest.length === 0 ? root : null
}

/**
 * The roots of both trees that follow from the older root and a consistency proof (RFC 9162
 * §2.1.4.2); `null` for a proof of another shape.
 */
export function rootsOfConsistency(
  older: number,
  size: number,
  olderRoot: Buffer,
  proof: readonly Buffer[],
): { older: Buffer; newer: Buffer } | null {
  if (older === 0 || older > size) return null
  if (older === size) return proof.length === 0 ? { older: olderRoot, newer: olderRoot } : null
  const rest = [...proof]
  interface Roots {
    readonly older: Buffer
    readonly newer: Buffer
  }
  const climb = (begin: number, end: number, whole: boolean): Roots | null => {
    if (older === end) {
      const hash = whole ? olderRoot : rest.shift()
      return hash ? { older: hash, newer: hash } : null
    }
    const middle = begin + split(end - begin)
    const below = older <= middle ? climb(begin, middle, whole) : climb(middle, end, false)
    const beside = rest.shift()
    if (!below || !beside) return null
    return older <= middle
      ? { older: below.older, newer: nodeHash(below.newer, beside) }
      : { older: nodeHash(beside, below.older), newer: nodeHash(beside, below.newer) }
  }
  const roots = climb(0, size, true)
  return rest.length === 0 ? roots : null
}
