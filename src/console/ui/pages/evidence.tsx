import '../style/evidence.css'
import type { EvidenceLine, FrameworkName, ShownEvidence } from '../api/types.ts'
import { DownloadNotice } from '../parts/download.tsx'
import { EvidenceReport } from '../parts/evidence-report.tsx'
import { FailureNotice } from '../parts/notice.tsx'
import { Segments } from '../parts/segments.tsx'
import { spanOf, spans } from '../state/evidence-span.ts'
import { pageHref } from '../state/route.ts'
import { useDownload } from '../state/use-download.ts'
import { useLines } from '../state/use-lines.ts'
import { replacePlace } from '../state/use-route.ts'
import { count } from '../text/count.ts'

const usual = 'quarter'

interface Progress {
  readonly events: number
  readonly report: ShownEvidence | null
}

function fold(progress: Progress, read: unknown): Progress {
  const line = read as EvidenceLine
  return 'report' in line
    ? { ...progress, report: line.report }
    : { ...progress, events: line.progress }
}

/** What the log of a span says to each control of a framework, verified on the way. */
export function EvidencePage({ query }: { query: URLSearchParams }) {
  const framework: FrameworkName = query.get('framework') === 'fedramp' ? 'fedramp' : 'soc2'
  const span = spans.find(({ value }) => value === query.get('span'))?.value ?? usual
  const { state, reading, failure, read } = useLines<Progress>({ events: 0, report: null }, fold)
  // Up to now, whenever that is asked.
  const asked = () => new URLSearchParams({ framework, ...spanOf(span, new Date()) })
  const set = (change: object) => replacePlace(pageHref('evidence', { framework, span, ...change }))
  const download = useDownload()
  const report = state?.report
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Evidence</h1>
        <div class="toolbar">
          <Segments
            name="Framework"
            value={framework}
            options={[
              ['soc2', 'SOC 2'],
              ['fedramp', 'FedRAMP'],
            ]}
            choose={(value) => set({ framework: value })}
          />
          <select
            aria-label="Time"
            value={span}
            onChange={(event) => set({ span: event.currentTarget.value })}
          >
            {spans.map(({ value, name }) => (
              <option value={value}>{name}</option>
            ))}
          </select>
        </div>
      </div>
      <div class="evidence-ask">
        <button
          type="button"
          class="approve"
          disabled={reading}
          onClick={() => read(`/api/audit/evidence/report?${asked()}`)}
        >
          Read the log
        </button>
        <button
          type="button"
          class="quiet"
          title="The report, the log of its period, and what proves that this is the signed log. The download goes on record."
          disabled={download.busy}
          onClick={() =>
            download.take(`evidence ${framework} ${span}`, `/api/audit/evidence?${asked()}`)
          }
        >
          Download as ZIP
        </button>
        {report && (
          <button type="button" class="plain" onClick={() => print()}>
            Print
          </button>
        )}
        <p class="fine">
          Reads and verifies every event of this period, and counts what it says about each control.
        </p>
      </div>
      {failure && <FailureNotice failure={failure} />}
      <DownloadNotice {...download} />
      {reading && <p role="status">{count(state?.events ?? 0, 'event')} read …</p>}
      {report && !reading && <EvidenceReport report={report} />}
    </>
  )
}
