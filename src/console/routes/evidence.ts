import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { AuditLog } from '../../audit/append.ts'
import { evidenceArchive, logFile } from '../../audit/evidence/archive.ts'
import { frameworks, type Framework } from '../../audit/evidence/controls.ts'
import { evidenceLines } from '../../audit/evidence/lines.ts'
import { readEvidence } from '../../audit/evidence/read.ts'
import { evidenceReport, type EvidenceReport } from '../../audit/evidence/report.ts'
import { manifestOf } from '../../audit/export/manifest.ts'
import { openExport } from '../../audit/export/ndjson.ts'
import type { Part, Span } from '../../audit/export/stretches.ts'
import { readCheckpoint } from '../../audit/log/checkpoints.ts'
import type { Sequencer } from '../../audit/log/sequencer.ts'
import { manifestFile } from '../../audit/verify/signed-log.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import type { Store } from '../../store/db.ts'
import { subjectOf } from '../caller.ts'
import type { ControlServer } from '../context.ts'

const auditors = { roles: ['auditor'], scope: 'audit:read' } as const

const time = z.iso.datetime({ offset: true }).or(z.iso.date())

const asked = z
  .strictObject({
    framework: z.enum(Object.keys(frameworks) as [Framework, ...Framework[]]),
    from: time
      .optional()
      .describe('events that came into the log at or after this; RFC 3339, or a day in UTC'),
    to: time.optional().describe('and before this'),
  })
  // Closed: an empty log verifies, and would pass for one in which nothing happened.
  .refine(
    ({ from = '', to = '' }) => !(Date.parse(from) >= Date.parse(to)),
    '`from` is not before `to`.',
  )

type AskedSpan = Pick<z.output<typeof asked>, 'from' | 'to'>

/** The time between two reports of progress, in milliseconds. */
const tellEvery = 500

interface EvidenceRoutesDeps {
  readonly store: Store
  readonly audit: AuditLog
  readonly sequencer: Pick<Sequencer, 'seal'>
  /** Throws `approval-pending` or `denied` where a rule holds or denies an export. */
  readonly authorizeExport: (subject: Subject, asked: JsonObject) => Promise<void>
}

/**
 * What the log of a time span says about the controls of a framework: to read here, and to export
 * together with the log.
 */
export async function evidenceRoutes(
  app: ControlServer,
  { store, audit, sequencer, authorizeExport }: EvidenceRoutesDeps,
): Promise<void> {
  app.get(
    '/api/audit/evidence',
    {
      config: { access: auditors },
      schema: {
        summary:
          'Evidence for an auditor, with the log of the span and its manifest, as a ZIP file',
        produces: ['application/zip'],
        querystring: asked,
      },
    },
    async ({ query, caller }, reply) => {
      const subject = subjectOf(caller)
      const { framework, ...span } = query
      const details = { evidence: framework, ...given(span) }
      await authorizeExport(subject, details)
      // Recorded first, so that nobody exports the log without a trace.
      await audit.append({ type: 'audit.exported', subject, details })
      const part = await openExport(store, partOf(span))
      const { manifest, text } = await signedManifest(part)
      const lines = evidenceLines(store, manifest)
      const archive = evidenceArchive({
        ...{ framework, lines, manifest },
        span: inWords(span),
        manifestText: text,
      })
      return reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="sallyport-evidence-${framework}.zip"`)
        .send(archive)
    },
  )

  app.get(
    '/api/audit/evidence/report',
    {
      config: { access: auditors },
      schema: {
        summary:
          'The report alone: `{"progress": events}`, one JSON document a line, and at the end `{"report": …}`',
        produces: ['application/x-ndjson'],
        querystring: asked,
      },
    },
    async ({ query: { framework, ...span } }, reply) => {
      const part = await openExport(store, partOf(span))
      const { manifest } = await signedManifest(part)
      return reply
        .type('application/x-ndjson')
        .send(Readable.from(report(framework, inWords(span), manifest)))
    },
  )

  async function signedManifest(part: Part) {
    const kept = await readCheckpoint(store)
    if (!kept || kept.size < part.end) await sequencer.seal()
    const text = `${JSON.stringify(await manifestOf(store, part), null, 2)}\n`
    return { manifest: manifestFile.parse(JSON.parse(text)), text }
  }

  async function* report(
    framework: Framework,
    span: EvidenceReport['span'],
    manifest: z.output<typeof manifestFile>,
  ): AsyncGenerator<string> {
    let events = 0
    let over = false
    async function* counted(): AsyncGenerator<string> {
      for await (const line of evidenceLines(store, manifest)) {
        // The client is gone, so the rest need not be read.
        if (over) return
        events++
        yield line
      }
    }
    const reading = readEvidence(counted(), manifest)
    try {
      for (;;) {
        const read = await Promise.race([reading, sleep(tellEvery, null)])
        if (read) {
          const made = new Date().toISOString()
          const done = evidenceReport(framework, { ...read, made, span, file: logFile })
          return yield `${JSON.stringify({ report: done })}\n`
        }
        yield `${JSON.stringify({ progress: events })}\n`
      }
    } finally {
      over = true
    }
  }
}

/** The ends of the time span that the request gave, for the audit event. */
function given({ from, to }: AskedSpan): JsonObject {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

function partOf({ from, to }: AskedSpan): Span {
  return {
    ...(from !== undefined && { from: new Date(from) }),
    ...(to !== undefined && { to: new Date(to) }),
  }
}

function inWords({ from, to }: AskedSpan): EvidenceReport['span'] {
  return { from: from ?? 'the beginning', to: to ?? 'now' }
}
