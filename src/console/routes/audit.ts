import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { z } from 'zod'
import type { AuditLog } from '../../audit/append.ts'
import { formatNames, formats, type ExportText } from '../../audit/export/format.ts'
import { openExport } from '../../audit/export/ndjson.ts'
import type { Part } from '../../audit/export/stretches.ts'
import { searchEvents } from '../../audit/search.ts'
import { duration } from '../../config/duration.ts'
import { Problem } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import { AtMost } from '../../identity/at-most.ts'
import type { Store } from '../../store/db.ts'
import { subjectOf } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { wholeId } from '../whole-id.ts'

const auditors = { roles: ['auditor'], scope: 'audit:read' } as const

const time = z.iso
  .datetime({ offset: true })
  .or(z.iso.date())
  .transform((text) => new Date(text))
  .optional()

const range = z.strictObject({
  from: time.describe('at or after; RFC 3339, or a day in UTC'),
  to: time.describe('before'),
})

const id = z.string().regex(/^[0-9a-f]+$/, 'Write it in lower-case hex.')

const filter = z.strictObject({
  ...range.shape,
  since: duration
    .optional()
    .describe('in the place of `from`: so long ago, such as `15m`, `24h` or `7d`'),
  q: z
    .string()
    .min(2)
    .max(200)
    .optional()
    .describe('words that occur in the event, in any case, each from the beginning of a word on'),
  subject: z.string().optional().describe('the name that its issuer gives the subject'),
  resource: z.string().optional(),
  action: z.string().optional().describe('id or name of the action'),
  effect: z.enum(['read', 'write', 'admin', 'unknown']).optional(),
  decision: z.enum(['allow', 'deny', 'hold']).optional(),
  enforced: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('`false`: would have been denied or held, and ran; `true`: was denied or held'),
  reason: z.string().optional(),
  rule: z.string().optional().describe('one of the rules that decided'),
  type: z.string().optional(),
  result: z
    .enum(['succeeded', 'failed', 'unknown'])
    .optional()
    .describe('of what the upstream did'),
  dataset: z.string().optional().describe('one of the data sets that it touches'),
  class: z.string().optional().describe('a class of the data that it touches'),
  model: z.string().optional().describe('the model that answered'),
  digest: id.length(64).optional().describe('SHA-256 of what was decided about'),
  policy: id.length(64).optional().describe('SHA-256 of the policies that decided'),
  trace: id.length(32).optional().describe('W3C trace id'),
  approval: wholeId.optional(),
  cursor: z.string().optional().describe('of the page before'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

/** The parameters of a search, without those that choose a page of its results. */
export const searchable = Object.keys(filter.shape).filter(
  (name) => name !== 'cursor' && name !== 'limit',
)

/** Limited, so that searches leave sessions of the database to decisions. */
const searchesAtOnce = 3

/** `?gzip` without a value also means yes. */
const flag = z.enum(['', 'true', 'false']).transform((text) => text !== 'false')

const wanted = z
  .strictObject({
    ...range.shape,
    format: z
      .enum(formatNames)
      .default('ndjson')
      .describe('`ndjson` is the one that verifies; `ocsf` is OCSF 1.8, one event a line'),
    cursor: z.coerce
      .number()
      .int()
      .min(0)
      .optional()
      .describe('index in the log to go on at: one more than the last event that is there'),
    personal: flag
      .default(true)
      .describe('`false`: without what can be erased; verifies all the same'),
    gzip: flag.default(false).describe('as a .gz file'),
  })
  .refine(({ from, to }) => !from || !to || from < to, '`from` is not before `to`.')

const exported = [
  ...new Set(Object.values(formats).map(({ type }) => type.split(';', 1)[0]!)),
  'application/gzip',
]

interface AuditRoutesDeps {
  readonly store: Store
  readonly audit: AuditLog
  readonly exportText: ExportText
  /** Throws `approval-pending` or `denied` where a rule holds or denies an export. */
  readonly authorizeExport: (subject: Subject, asked: JsonObject) => Promise<void>
}

/**
 * What auditors read: a search for events, and an export of all of them in the form in which they
 * are hashed.
 */
export async function auditRoutes(
  app: ControlServer,
  { store, audit, exportText, authorizeExport }: AuditRoutesDeps,
): Promise<void> {
  const searches = new AtMost(searchesAtOnce)

  app.get(
    '/api/audit/events',
    {
      config: { access: auditors },
      schema: {
        summary: 'Search the audit log, the newest first',
        querystring: filter,
        response: {
          200: z.object({
            events: z.array(z.looseObject({ id: z.string() })),
            cursor: z.string().nullable(),
          }),
        },
      },
    },
    async ({ query: { cursor, limit, since, ...asked } }) => {
      const from = asked.from ?? (since && new Date(Date.now() - since))
      const filter = Object.entries({ ...asked, from }).filter(([, value]) => value !== undefined)
      const page = await searches.run(() =>
        searchEvents(store, Object.fromEntries(filter), cursor ?? null, limit),
      )
      return { events: [...page.events], cursor: page.cursor }
    },
  )

  app.get(
    '/api/audit/export',
    {
      config: { access: auditors },
      schema: {
        summary: 'The audit log; check it as NDJSON with `sallyport audit verify`',
        produces: exported,
        querystring: wanted,
      },
    },
    async ({ query, caller, headers }, reply) => {
      const { from, to, format, cursor, personal, gzip } = query
      const span = { ...(from && { from }), ...(to && { to }) }
      const subject = subjectOf(caller)
      const details = JSON.parse(
        JSON.stringify({
          ...span,
          ...(format !== 'ndjson' && { format }),
          ...(!personal && { personal }),
        }),
      ) as JsonObject
      await authorizeExport(subject, details)
      // Recorded first, so that nobody exports the log without a trace.
      await audit.append({
        type: 'audit.exported',
        subject,
        details: { ...details, ...(cursor !== undefined && { cursor }) },
      })
      const whole = await openExport(store, span)
      const part = cursor === undefined ? whole : continueAt(whole, cursor)
      const { type, extension } = formats[format]
      const text = Readable.from(
        exportText(part, format, { personal, continued: cursor !== undefined }),
      )
      const encoded = !gzip && acceptsGzip(headers['accept-encoding'])
      reply
        .type(gzip ? 'application/gzip' : type)
        // The first event of this part, with which to ask for the manifest.
        .header('sallyport-audit-first', part.first)
        .header('sallyport-audit-end', part.end)
        .header('vary', 'accept-encoding')
        .header(
          'content-disposition',
          `attachment; filename="sallyport-audit.${extension}${gzip ? '.gz' : ''}"`,
        )
      if (encoded) reply.header('content-encoding', 'gzip')
      // An error in either stream reaches the code that sends the answer, which then breaks it off
      // instead of ending it properly.
      return reply.send(gzip || encoded ? pipeline(text, createGzip(), () => {}) : text)
    },
  )
}

function continueAt({ first, end }: Part, cursor: number): Part {
  if (cursor >= first && cursor <= end) return { first: cursor, end }
  throw new Problem(
    'bad-request',
    `The cursor is not from ${first} to ${end}, where this export is.`,
  )
}

/** RFC 9110, §12.5.3: gzip is named, and not refused with `q=0`. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  return /(^|,)\s*(x-)?gzip\s*(;\s*q=(0\.\d*[1-9]|1)|,|$)/i.test(String(header ?? ''))
}
