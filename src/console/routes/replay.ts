import { Readable } from 'node:stream'
import { z } from 'zod'
import { MistakesError, Problem } from '../../core/errors.ts'
import { replayRecorded, type ReplayDeps, type ReplayLine } from '../../gate/replay.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import type { PolicyDocument } from '../../policy/read-rules.ts'
import type { ControlServer } from '../context.ts'
import { largestProposal, proposedDocuments } from './policies.ts'

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text))

interface ReplayRoutesDeps extends ReplayDeps {
  /** In force now. */
  readonly policies: () => CompiledPolicies
}

/** What other policies would have made of what happened: for whoever is about to change them. */
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
