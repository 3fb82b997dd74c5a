import type { PolicyDocument } from '../../policy/read-rules.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import type { Queryable } from '../../store/db.ts'

/** The version of the policies that is in force, and its place in the order of versions. */
export interface InForce {
  /** Counts up from 1; 0 before there were any policies. */
  readonly generation: number
  /** SHA-256 of the version, in hex; `null` before there was one. */
  readonly hash: string | null
}

/** Policies as a replica decides with them. */
export interface PoliciesInForce extends CompiledPolicies {
  /** Decisions made with them count only while this generation is in force. */
  readonly generation: number
}

export async function readInForce(db: Queryable): Promise<InForce> {
  const [row] = await db.query<InForce>(
    `SELECT f.generation, g.hash
       FROM sallyport.policy_in_force f LEFT JOIN sallyport.policy_generations g USING (generation)`,
  )
  return row!
}

/**
 * Reads what is in force and locks it, for a transaction that changes it. Nobody else can change it
 * until that has ended, and every earlier decision has been recorded or will be refused.
 */
export async function lockInForce(tx: Queryable): Promise<InForce> {
  await tx.query('SELECT FROM sallyport.policy_in_force FOR UPDATE')
  return readInForce(tx)
}

/**
 * The last generation after `base` in which a version was in force, or `null` if there was none.
 */
export async function lastGenerationOf(
  db: Queryable,
  hash: string,
  base: number,
): Promise<number | null> {
  const [row] = await db.query<{ last: number | null }>(
    'SELECT max(generation) AS last FROM sallyport.policy_generations WHERE hash = $1 AND generation > $2',
    [hash, base],
  )
  return row!.last
}

export interface NewGeneration {
  readonly hash: string
  /** The replica whose files it comes from, or which was asked. */
  readonly replica: string
  readonly approval: string | null
  /** Whether a person proposed it, so that it is in no replica's files. */
  readonly proposed: boolean
}

/** Begins a new generation, and resolves to it. To be called under the lock of `lockInForce`. */
export async function beginGeneration(
  tx: Queryable,
  before: InForce,
  { hash, replica, approval, proposed }: NewGeneration,
): Promise<number> {
  const generation = before.generation + 1
  await tx.query(
    `INSERT INTO sallyport.policy_generations (generation, hash, replica, approval, proposed)
     VALUES ($1, $2, $3, $4, $5)`,
    [generation, hash, replica, approval, proposed],
  )
  await tx.query('UPDATE sallyport.policy_in_force SET generation = $1', [generation])
  return generation
}

/**
 * Whether what is in force came from files, and no other live replica could have different ones.
 */
export async function isAloneWithFiles(db: Queryable, replica: string): Promise<boolean> {
  const [row] = await db.query<{ alone: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM sallyport.replicas
                         WHERE replica <> $1 AND closed_at IS NULL AND lease_until > clock_timestamp())
        AND NOT EXISTS (SELECT FROM sallyport.policy_in_force JOIN sallyport.policy_generations USING (generation)
                         WHERE proposed) AS alone`,
    [replica],
  )
  return row!.alone
}

/** Keeps the text of a version, so that any replica can load it, and any auditor read it. */
export async function keepVersion(
  tx: Queryable,
  { hash, documents }: Pick<CompiledPolicies, 'hash' | 'documents'>,
): Promise<void> {
  await tx.query(
    'INSERT INTO sallyport.policy_versions (hash, documents) VALUES ($1, $2::json) ON CONFLICT DO NOTHING',
    [hash, JSON.stringify(documents)],
  )
}

export async function readVersion(db: Queryable, hash: string): Promise<readonly PolicyDocument[]> {
  const [row] = await db.query<{ documents: PolicyDocument[] }>(
    'SELECT documents FROM sallyport.policy_versions WHERE hash = $1',
    [hash],
  )
  if (!row) throw new Error(`the text of policies ${hash} is not in the store`)
  return row.documents
}
