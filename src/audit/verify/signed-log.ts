import { z } from 'zod'
import { openCheckpoint, type Checkpoint } from '../log/checkpoint.ts'
import { CompactRange, cover } from '../log/merkle.ts'
import { rootOfInclusion, rootsOfConsistency } from '../log/proof.ts'
import type { Finding } from './finding.ts'

const hashes = z.array(
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .transform((hex) => Buffer.from(hex, 'hex')),
)

/** What comes with an export (see `manifestOf`). */
export const manifestFile = z.strictObject({
  format: z.literal('sallyport-audit-manifest/1'),
  first: z.int().min(0),
  end: z.int().min(0),
  count: z.int().min(0).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  checkpoint: z.string(),
  keys: z.array(z.string()),
  before: hashes,
  after: hashes,
  retained: z.array(z.strictObject({ line: z.string(), proof: hashes })).optional(),
  consistency: z.strictObject({ size: z.int().min(0), proof: hashes }).optional(),
})

/** What an export is held against. */
export interface Trust {
  readonly manifest: z.output<typeof manifestFile>
  /**
   * Verifier keys that were kept elsewhere; without any, those that the manifest names, which
   * proves only that it agrees with itself.
   */
  readonly keys: readonly string[]
  /** A checkpoint that was kept elsewhere, as it was signed. */
  readonly older: string | null
}

/**
 * Computes the root of the log from an export and its manifest, and holds it against what was
 * signed.
 */
export class SignedLog {
  readonly #trust: Trust
  readonly #keys: readonly string[]
  readonly #range = new CompactRange(0)
  readonly #older: Checkpoint | null
  // Owned by grow(): the root when the tree was as large as the older checkpoint's.
  #rootThen: Buffer | null = null

  constructor(trust: Trust) {
    this.#trust = trust
    const { manifest, keys, older } = trust
    this.#keys = keys.length > 0 ? keys : manifest.keys
    this.#older = older === null ? null : openCheckpoint(older, this.#keys)
    this.#appendCover(0, manifest.first, manifest.before)
  }

  /** Whether the leaf, in hex, is at this place of the log that was signed. */
  has(leaf: string, index: number, proof: readonly Buffer[]): boolean {
    const signed = openCheckpoint(this.#trust.manifest.checkpoint, this.#keys)
    const root = signed && rootOfInclusion(Buffer.from(leaf, 'hex'), index, signed.size, proof)
    return signed !== null && root !== null && root.equals(signed.root)
  }

  /** The next leaf, in hex. */
  grow(leaf: string): void {
    this.#range.append(Buffer.from(leaf, 'hex'))
    this.#look()
  }

  /** What does not agree, once every line was read and fits; `line` is the last one. */
  end(line: number): Finding[] {
    const { manifest, older } = this.#trust
    const signed = openCheckpoint(manifest.checkpoint, this.#keys)
    if (!signed)
      return [finding(line, 'unsigned', 'None of the keys signed the checkpoint of the manifest.')]
    if (this.#range.end !== manifest.end) {
      return [
        finding(
          line,
          'not-the-log',
          `These are ${this.#range.end - manifest.first} events, and not those of the manifest.`,
        ),
      ]
    }
    this.#appendCover(manifest.end, signed.size, manifest.after)
    if (this.#range.end !== signed.size || !this.#range.root().equals(signed.root)) {
      return [
        finding(
          line,
          'not-the-log',
          `The log that was signed, of ${signed.size} events, has other events here.`,
        ),
      ]
    }
    if (older === null) return []
    if (!this.#older)
      return [finding(line, 'unsigned', 'None of the keys signed the older checkpoint.')]
    return this.#continues(this.#older, signed)
      ? []
      : [finding(line, 'rewritten', broken(this.#older, signed))]
  }

  #continues(older: Checkpoint, signed: Checkpoint): boolean {
    if (older.origin !== signed.origin || older.size > signed.size) return false
    if (older.size === 0) return true
    if (this.#rootThen) return this.#rootThen.equals(older.root)
    const { consistency } = this.#trust.manifest
    if (consistency?.size !== older.size) return false
    const roots = rootsOfConsistency(older.size, signed.size, older.root, consistency.proof)
    return roots !== null && roots.older.equals(older.root) && roots.newer.equals(signed.root)
  }

  #appendCover(begin: number, end: number, subtrees: readonly Buffer[]): void {
    const nodes = cover(begin, end)
    // Others than these cannot give the root that was signed.
    if (nodes.length !== subtrees.length) return
    for (const [i, { level }] of nodes.entries()) {
      this.#range.append(subtrees[i]!, level)
      this.#look()
    }
  }

  #look(): void {
    if (this.#range.end === this.#older?.size) this.#rootThen = this.#range.root()
  }
}

function broken(older: Checkpoint, signed: Checkpoint): string {
  if (older.origin !== signed.origin)
    return `The older checkpoint is of another log, ${older.origin}.`
  if (older.size > signed.size) {
    return `The log had ${older.size} events when the older checkpoint was signed, and has ${signed.size} here: its end was cut off, unless it was exported before that. Export it again to know.`
  }
  return `The log of ${signed.size} events does not begin with the ${older.size} that were signed before, or the manifest does not show it: export it with --since.`
}

function finding(line: number, kind: Finding['kind'], message: string): Finding {
  return { kind, line, message }
}
