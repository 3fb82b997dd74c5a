import { Readable } from 'node:stream'
import { z } from 'zod'
import { getApproval } from '../../approvals/store.ts'
import { MistakesError, Problem } from '../../core/errors.ts'
import { readVersion } from '../../gate/in-force/generations.ts'
import { proposedVersion } from '../../gate/governing/policy-errand.ts'
import { replayRecorded, type ReplayDeps, type ReplayLine } from '../../gate/replay.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import type { PolicyDocument } from '../../policy/read-rules.ts'
import type { ControlServer } from '../context.ts'
import { wholeId } from '../whole-id.ts'
import { maySee } from './approvals.ts'
import { largestProposal, proposedDocuments } from './policies.ts'

/** In milliseconds. */
const usualSpan = 7 * 24 * 60 * 60_000

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text))

interface ReplayRoutesDeps extends ReplayDeps {
  /** The policies in force. */
  readonly policies: () => CompiledPolicies
}

/**
 * What other policies would have decided about actions of the past, for somebody who is about to
 * change them.
 */
export async function replayRoutes(
  app: ControlServer,
  { policies, ...deps }: ReplayRoutesDeps,
): Promise<void> {
  app.post(
    '/api/policies/replay',
    {
      config: { access: { roles: ['auditor'], scope: 'audit:read', changes: false } },
      bodyLimit: largestProposal,
      schema: {
        summary: 'What these policies would have decided otherwise, one JSON document a line',
        produces: ['application/x-ndjson'],
        body: z.strictObject({
          from: time.describe('at or after; RFC 3339'),
          to: time.optional().describe('before; now, if left out'),
          documents: proposedDocuments
            .optional()
            .describe('all policy files; those in force, if left out'),
        }),
      },
    },
    async ({ body: { from, to = new Date(), documents } }, reply) => {
      const next = documents ? compiled(deps, documents) : policies()
      const lines = replayRecorded(deps, next, { from, to })
      return reply.type('application/x-ndjson').send(Readable.from(asText(lines)))
    },
  )

  app.get(
    '/api/approvals/:id/replay',
    {
      config: { access: 'person' },
      schema: {
        summary:
          'What a change of the policies that waits for approval would have decided otherwise, one JSON document a line; who did what for auditors alone',
        produces: ['application/x-ndjson'],
        params: z.object({ id: wholeId }),
        querystring: z.strictObject({
          from: time.optional().describe('at or after; the last 7 days, if left out'),
        }),
      },
    },
    async ({ params: { id }, query: { from }, caller }, reply) => {
      const approval = await getApproval(deps.store, id)
      const version = approval && maySee(caller, approval) ? proposedVersion(approval) : null
      if (version === null)
        throw new Problem(
          'not-found',
          `There is no change of the policies ${id}, or it is not for you.`,
        )
      const to = new Date()
      const span = { from: from ?? new Date(to.getTime() - usualSpan), to }
      const next = compiled(deps, await readVersion(deps.store, version))
      const lines = replayRecorded(deps, next, span)
      const auditor = caller?.kind === 'person' && caller.roles.has('auditor')
      return reply
        .type('application/x-ndjson')
        .send(Readable.from(asText(auditor ? lines : withoutActions(lines))))
    },
  )
}

/**
 * Leaves out single actions: what others did is for auditors, but how many actions change is for
 * whoever decides about the proposal.
 */
async function* withoutActions(lines: AsyncIterable<ReplayLine>): AsyncGenerator<ReplayLine> {
  for await (const line of lines) if (!('difference' in line)) yield line
}

function compiled({ compile }: ReplayDeps, documents: readonly PolicyDocument[]): CompiledPolicies {
  try {
    return compile(documents)
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    const mistakes = error.mistakes.map((mistake) => ({ ...mistake }))
    const detail = `These policies have mistakes. ${error.message}`
    throw new Problem('bad-request', detail, { mistakes }, { cause: error })
  }
}

async function* asText(lines: AsyncIterable<ReplayLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}
