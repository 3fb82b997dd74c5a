import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leafHash } from '../../../src/audit/chain.ts'
import {
  CompactRange,
  cover,
  emptyRoot,
  foldRoot,
  nodeHash,
  type Node,
} from '../../../src/audit/log/merkle.ts'
import {
  consistencyProof,
  inclusionProof,
  rootOfInclusion,
  rootsOfConsistency,
} from '../../../src/audit/log/proof.ts'

const leaf = (i: number) => Buffer.from(leafHash(String(i)), 'hex')

/** RFC 6962 §2.1, word for word: what everything else is measured by. */
function treeHash(begin: number, end: number): Buffer {
  const n = end - begin
  if (n === 0) return emptyRoot
  if (n === 1) return leaf(begin)
  let k = 1
  while (k * 2 < n) k *= 2
  return nodeHash(treeHash(begin, begin + k), treeHash(begin + k, end))
}

const hashOf = ({ level, index }: Node) => treeHash(index * 2 ** level, (index + 1) * 2 ** level)

const size = fc.integer({ min: 1, max: 300 })

test('the roots are those of the test vectors of RFC 6962 implementations', () => {
  // Certificate Transparency's reference vectors: leaves, and the root over the first so many.
  const inputs = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  const range = new CompactRange(0)
  for (const [i, input] of inputs.entries()) {
    range.append(Buffer.from(leafHash(Buffer.from(input, 'hex').toString('latin1')), 'hex'))
    expect(range.root().toString('hex')).toBe(roots[i])
  }
})

test('a range that grows leaf by leaf has the root of the tree, also after it was put away and taken up again', () => {
  fc.assert(
    fc.property(size, fc.nat({ max: 300 }), (n, at) => {
      let range = new CompactRange(0)
      for (let i = 0; i < n; i++) {
        if (i === at) range = new CompactRange(0, range.end, range.hashes)
        range.append(leaf(i))
      }
      expect(range.root()).toEqual(treeHash(0, n))
      expect(range.hashes).toEqual(cover(0, n).map(hashOf))
    }),
    { numRuns: 60 },
  )
})

test('a part of the leaves and the subtrees on both sides of it give the root', () => {
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), (n, a, b) => {
      const [begin, end] = [a % (n + 1), b % (n + 1)].toSorted((x, y) => x - y) as [number, number]
      const whole = new CompactRange(0)
      for (const node of cover(0, begin)) whole.append(hashOf(node), node.level)
      for (let i = begin; i < end; i++) whole.append(leaf(i))
      for (const node of cover(end, n)) whole.append(hashOf(node), node.level)
      expect(whole.root()).toEqual(treeHash(0, n))
    }),
    { numRuns: 80 },
  )
})

test('an inclusion proof leads from its leaf to the root, and from no other leaf', () => {
  fc.assert(
    fc.property(size, fc.nat(), (n, m) => {
      const index = m % n
      const proof = inclusionProof(index, n, hashOf)
      expect(rootOfInclusion(leaf(index), index, n, proof)).toEqual(treeHash(0, n))
      expect(rootOfInclusion(leaf(index + 1), index, n, proof)).not.toEqual(treeHash(0, n))
      expect(rootOfInclusion(leaf(index), index, n, [...proof, leaf(1)])).toBeNull()
      if (proof.length > 0) {
        expect(rootOfInclusion(leaf(index), index, n, proof.slice(1))).toBeNull()
      }
    }),
    { numRuns: 60 },
  )
})

test('a consistency proof holds for the tree that grew, and for no tree that was changed', () => {
  fc.assert(
    fc.property(size, fc.nat(), (n, m) => {
      const older = 1 + (m % n)
      const proof = consistencyProof(older, n, hashOf)
      const roots = rootsOfConsistency(older, n, treeHash(0, older), proof)
      expect(roots).toEqual({ older: treeHash(0, older), newer: treeHash(0, n) })
      const forged = rootsOfConsistency(older, n, leaf(999), proof)
      const accepted = forged?.older.equals(leaf(999)) && forged.newer.equals(treeHash(0, n))
      expect(accepted ?? false).toBe(false)
      expect(rootsOfConsistency(older, n, treeHash(0, older), [...proof, leaf(1)])).toBeNull()
    }),
    { numRuns: 60 },
  )
})

test('the empty tree has a root of its own', () => {
  expect(foldRoot([])).toEqual(emptyRoot)
  expect(new CompactRange(0).root()).toEqual(emptyRoot)
})
