import { z } from 'zod'
import { contentsOf, countOf } from '../../audit/retention/contents.ts'
import { listLegalHolds, type LegalHold } from '../../audit/retention/legal-hold.ts'
import { listMonths } from '../../audit/retention/months.ts'
import { Problem } from '../../core/errors.ts'
import {
  holdForLaw,
  releaseFromLaw,
  retainMonth,
  type Retaining,
} from '../../gate/governing/retention-errands.ts'
import { subjectOfPerson } from '../../identity/people.ts'
import type { Store } from '../../store/db.ts'
import { personOf } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { instant, party } from '../openapi.ts'
import { Shared } from '../shared.ts'
import { waiting, waitingForPeople } from '../waiting.ts'
import { wholeId } from '../whole-id.ts'

const readers = { roles: ['auditor', 'admin'], scope: 'audit:read' } as const
const keepers = { roles: ['auditor', 'admin'] } as const
const admins = { roles: ['admin'] } as const

const count = z.int().min(0)
const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'Write a month, as in 2026-01.')
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'Write SHA-256 in lower-case hex.')
const reason = z
  .string()
  .trim()
  .min(10)
  .max(2_000)
  .describe('why; goes on record, so name the case')

const shownHold = z.object({
  id: z.uuid(),
  reason: z.string(),
  from: instant.nullable(),
  to: instant.nullable(),
  subject: party.nullable().describe('who acted'),
  action: z.uuid().nullable(),
  created_by: party,
  created_at: instant,
  released_by: party.nullable(),
  released_at: instant.nullable(),
})

const newHold = z.strictObject({
  reason,
  from: instant.optional().describe('events at or after this time'),
  to: instant.optional().describe('and before this one'),
  subject: party.optional().describe('and in which this one acted'),
  action: wholeId.optional().describe('and of this action'),
})

const claim = z.strictObject({
  month,
  events: count.describe('how many of its events the files have'),
  impersonal: count.describe('how many of these without a personal part'),
  exports: z
    .array(z.strictObject({ sha256, first: count, end: count }))
    .min(1)
    .max(10_000)
    .describe('each file, as it is kept, and the part of the log that it has'),
})

/** Shows which months leave the database once they are kept elsewhere, and which must not. */
export async function retentionRoutes(
  app: ControlServer,
  { gate, keeping }: Retaining,
): Promise<void> {
  const { store } = gate
  const { keepMs } = keeping
  // Shared, because a month of ten million events takes seconds to count.
  const counts = new Shared(() => countedMonths(store, keepMs))

  app.get(
    '/api/audit/retention',
    {
      config: { access: readers },
      schema: {
        summary: 'Months of the audit log that are in the database, the oldest first',
        response: {
          200: z.object({
            keep_seconds: z.number().nullable().describe('`null`: all of them stay'),
            months: z.array(
              z.object({
                month,
                bytes: z.number(),
                due: z.boolean().describe('all of it is older than what is kept'),
                events: count
                  .nullable()
                  .describe('counted where it is due, and not on record yet; else `null`'),
                indexes: z
                  .array(z.object({ first: count, end: count }))
                  .nullable()
                  .describe(
                    'where they are in the log, if they came when others of the month were on record already; else `null`',
                  ),
                recorded: z.boolean().describe('that all of it is kept elsewhere is on record'),
                held_by: z.array(z.string()).describe('legal holds'),
              }),
            ),
          }),
        },
      },
    },
    async () => ({
      keep_seconds: keepMs === null ? null : keepMs / 1_000,
      months: await counts.ask(),
    }),
  )

  app.post(
    '/api/audit/retention',
    {
      config: { access: admins },
      bodyLimit: 2 * 1024 * 1024,
      schema: {
        summary:
          'Puts on record that a month is kept elsewhere, so that it can be taken out of the database; see `sallyport audit retain`',
        body: claim,
        response: { 200: z.object({ month, events: count }), 202: waitingForPeople },
      },
    },
    async (request, reply) => {
      const subject = subjectOfPerson(personOf(request))
      const result = await retainMonth({ gate, keeping }, subject, request.body)
      if ('held' in result) return reply.code(202).send(waiting(result.held))
      const { month: retained, events } = result.done
      return reply.code(200).send({ month: retained, events })
    },
  )

  app.get(
    '/api/audit/legal-holds',
    {
      config: { access: readers },
      schema: {
        summary: 'Legal holds, those in force first',
        response: { 200: z.object({ legal_holds: z.array(shownHold) }) },
      },
    },
    async () => ({ legal_holds: (await listLegalHolds(store)).map(show) }),
  )

  app.post(
    '/api/audit/legal-holds',
    {
      config: { access: keepers },
      schema: {
        summary:
          'Keeps events in the database, and what they say of people: nothing that it covers is taken out or erased',
        body: newHold,
        response: { 201: z.object({ legal_hold: shownHold }), 202: waitingForPeople },
      },
    },
    async (request, reply) => {
      const { from, to, subject, action, reason: why } = request.body
      const scope = {
        from: from === undefined ? null : new Date(from),
        to: to === undefined ? null : new Date(to),
        subject: subject ?? null,
        action: action ?? null,
      }
      if (Object.values(scope).every((one) => one === null))
        throw new Problem('bad-request', 'Say what it covers: a time, a subject or an action.')
      if (scope.from && scope.to && scope.from >= scope.to)
        throw new Problem('bad-request', '`from` is not before `to`.')
      const by = subjectOfPerson(personOf(request))
      const result = await holdForLaw(gate, by, { ...scope, reason: why })
      if ('held' in result) return reply.code(202).send(waiting(result.held))
      return reply.code(201).send({ legal_hold: show(result.done) })
    },
  )

  app.post(
    '/api/audit/legal-holds/:id/release',
    {
      config: { access: admins },
      schema: {
        summary: 'Ends a legal hold',
        params: z.object({ id: wholeId }),
        body: z.strictObject({ reason }),
        response: { 200: z.object({ legal_hold: shownHold }), 202: waitingForPeople },
      },
    },
    async (request, reply) => {
      const by = subjectOfPerson(personOf(request))
      const { id } = request.params
      const result = await releaseFromLaw(gate, by, { id, reason: request.body.reason })
      if ('held' in result) return reply.code(202).send(waiting(result.held))
      return reply.code(200).send({ legal_hold: show(result.done) })
    },
  )
}

async function countedMonths(store: Store, keepMs: number | null) {
  const months = []
  for (const { heldBy, late, ...rest } of await listMonths(store, keepMs)) {
    const waits = rest.due && !rest.recorded
    const indexes = waits && late ? [...(await contentsOf(store, rest.month)).indexes] : null
    const events = waits ? await countOf(store, rest.month) : null
    months.push({ ...rest, events, indexes, held_by: [...heldBy] })
  }
  return months
}

function show(hold: LegalHold): z.output<typeof shownHold> {
  const { id, reason: why, from, to, subject, action, createdBy, createdAt } = hold
  return {
    id,
    reason: why,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
    subject,
    action,
    created_by: createdBy,
    created_at: createdAt.toISOString(),
    released_by: hold.releasedBy,
    released_at: hold.releasedAt?.toISOString() ?? null,
  }
}
