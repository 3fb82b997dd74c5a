import { z } from 'zod'
import { manifestOf } from '../../audit/export/manifest.ts'
import { listSigningKeys, readCheckpoint } from '../../audit/log/checkpoints.ts'
import { indexOf, proveConsistency, proveInclusion } from '../../audit/log/prove.ts'
import { ChangedTree } from '../../audit/log/sequence.ts'
import type { Sequencer } from '../../audit/log/sequencer.ts'
import { Problem } from '../../core/errors.ts'
import type { Store } from '../../store/db.ts'
import type { ControlServer } from '../context.ts'
import { wholeId } from '../whole-id.ts'

const auditors = { roles: ['auditor'], scope: 'audit:read' } as const

const count = z.coerce.number().int().min(0)
const hashes = z.array(z.string()).readonly().describe('SHA-256, in hex')

const manifestQuery = z.strictObject({
  first: count.describe('as an export says in Sallyport-Audit-First'),
  end: count.describe('as it says in Sallyport-Audit-End'),
  since: count
    .optional()
    .describe('size of an older checkpoint that the log should be shown to continue'),
})

const manifest = z.object({
  format: z.string(),
  first: z.number(),
  end: z.number(),
  count: z.number(),
  checkpoint: z.string(),
  keys: z.array(z.string()),
  before: hashes,
  after: hashes,
  retained: z
    .array(z.object({ line: z.string(), proof: hashes }))
    .readonly()
    .optional(),
  consistency: z.object({ size: z.number(), proof: hashes }).optional(),
})

/** Checkpoints, keys and proofs, which show that the log is the one that was signed. */
export async function transparencyRoutes(
  app: ControlServer,
  { store, sequencer }: { store: Store; sequencer: Pick<Sequencer, 'seal'> },
): Promise<void> {
  app.get(
    '/api/audit/checkpoint',
    {
      config: { access: auditors },
      schema: {
        summary:
          'The newest signed state of the audit log, or that of a size: a C2SP checkpoint. Keep it elsewhere',
        produces: ['text/plain'],
        querystring: z.strictObject({ size: count.optional() }),
      },
    },
    async ({ query: { size } }, reply) => {
      const kept = await readCheckpoint(store, size ?? null)
      if (!kept) throw new Problem('not-found', 'There is no checkpoint of this size.')
      return reply.type('text/plain; charset=utf-8').send(kept.note)
    },
  )

  app.get(
    '/api/audit/keys',
    {
      config: { access: auditors },
      schema: {
        summary: 'Verifier keys of everything that ever signed a checkpoint, the oldest first',
        response: { 200: z.object({ keys: z.array(z.string()) }) },
      },
    },
    async () => ({ keys: await listSigningKeys(store) }),
  )

  app.get(
    '/api/audit/manifest',
    {
      config: { access: auditors },
      schema: {
        summary: 'What goes with an export, so that it can be checked against the signed log',
        querystring: manifestQuery,
        response: { 200: manifest },
      },
    },
    async ({ query: { first, end, since } }) => {
      const kept = await readCheckpoint(store)
      if (!kept || kept.size < end)
        await sequencer.seal().catch((error: unknown) => {
          throw error instanceof ChangedTree
            ? new Problem('not-found', `No checkpoint covers this: ${error.message}.`)
            : error
        })
      return manifestOf(store, { first, end }, since ?? null)
    },
  )

  app.get(
    '/api/audit/proofs/inclusion',
    {
      config: { access: auditors },
      schema: {
        summary: 'That an event is in the log of so many events (RFC 6962 §2.1.1)',
        querystring: z.strictObject({
          event: wholeId.optional(),
          index: count.optional().describe('its `index` in an export, instead of its id'),
          size: count,
        }),
        response: { 200: z.object({ index: z.number(), size: z.number(), proof: hashes }) },
      },
    },
    async ({ query: { event, index: named, size } }) => {
      if ((event === undefined) === (named === undefined))
        throw new Problem('bad-request', 'Name the event, or its index in the log.')
      const index = named ?? (await indexOf(store, event!))
      if (index === null)
        throw new Problem(
          'not-found',
          `Event ${event} is not in the log. If its month is kept elsewhere, ask by its index.`,
        )
      const proof = await proveInclusion(store, index, size)
      return { index, size, proof: proof.map((hash) => hash.toString('hex')) }
    },
  )

  app.get(
    '/api/audit/proofs/consistency',
    {
      config: { access: auditors },
      schema: {
        summary: 'That the log of `to` events begins with that of `from` events (RFC 6962 §2.1.2)',
        querystring: z.strictObject({ from: count, to: count }),
        response: { 200: z.object({ proof: hashes }) },
      },
    },
    async ({ query: { from, to } }) => {
      const proof = await proveConsistency(store, from, to)
      return { proof: proof.map((hash) => hash.toString('hex')) }
    },
  )
}
