import '../style/usage.css'
import { useMemo } from 'preact/hooks'
import type { UsageReport } from '../api/types.ts'
import { BarChart } from '../parts/bar-chart.tsx'
import { Choice } from '../parts/choice.tsx'
import { Data } from '../parts/data.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { Segments } from '../parts/segments.tsx'
import { UsageTable } from '../parts/usage-table.tsx'
import { ranges } from '../state/activity-filter.ts'
import { pageHref } from '../state/route.ts'
import { barsOf, measures, totalsOf, type Measure } from '../state/usage-chart.ts'
import { useAnswer } from '../state/use-answer.ts'
import { replacePlace } from '../state/use-route.ts'

const usual = '24h'

/** What stands in the address. */
function wanted(query: URLSearchParams) {
  const by = query.get('by') === 'resource' ? 'resource' : 'subject'
  const measure = measures.find((one) => one === query.get('measure')) ?? 'actions'
  const since = Object.hasOwn(ranges, query.get('since') ?? '') ? query.get('since')! : usual
  const [subject, resource] = [query.get('subject') ?? '', query.get('resource') ?? '']
  return { by, measure, since, subject, resource } as const
}

/** Who touched which data: how often, how many rows, how many bytes. */
export function UsagePage({ query }: { query: URLSearchParams }) {
  const { by, measure, since, subject, resource } = wanted(query)
  const path = useMemo(() => {
    const to = Date.now()
    return `/api/usage?${new URLSearchParams({
      by,
      from: new Date(to - ranges[since]!.ms).toISOString(),
      to: new Date(to).toISOString(),
      ...(subject && { subject }),
      ...(resource && { resource }),
    })}`
  }, [by, since, subject, resource])
  const { answer, failure, asking, ask } = useAnswer<UsageReport>(path)
  const set = (change: object) =>
    replacePlace(pageHref('usage', { by, measure, since, subject, resource, ...change }))
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>
          Usage{' '}
          {(subject || resource) && (
            <span class="count">
              {subject ? 'of ' : 'on '}
              <Data text={subject || resource} limit={60} />{' '}
              <a href={pageHref('usage', { by: subject ? 'subject' : 'resource', measure, since })}>
                show all
              </a>
            </span>
          )}
        </h1>
        <div class="toolbar">
          {!subject && !resource && (
            <Segments
              name="By"
              value={by}
              options={[
                ['subject', 'Who'],
                ['resource', 'What'],
              ]}
              choose={(value) => set({ by: value })}
            />
          )}
          <Choice
            name="Time"
            value={since}
            options={Object.entries(ranges).map(([value, { name }]) => [value, name])}
            choose={(value) => set({ since: value })}
          />
        </div>
      </div>
      {failure && (
        <FailureNotice failure={failure}>
          <button type="button" onClick={ask}>
            Try again
          </button>
        </FailureNotice>
      )}
      {!answer && asking && <p role="status">Counting …</p>}
      {answer && (
        <Report
          report={answer}
          measure={measure}
          since={since}
          choose={(value) => set({ measure: value })}
        />
      )}
    </>
  )
}

interface ReportProps {
  report: UsageReport
  measure: Measure
  since: string
  choose: (measure: string) => void
}

function Report({ report, measure, since, choose }: ReportProps) {
  const totals = totalsOf(report, measure)
  if (totals.length === 0) {
    return (
      <div class="empty">
        <p>
          <strong>Nobody did anything in this time.</strong>
        </p>
        <p class="fine">Actions appear here when they have been decided.</p>
      </div>
    )
  }
  return (
    <>
      {report.counted_from !== null && (
        <Notice tone="waiting" title="Not all of it is counted">
          <p>
            There are too many actions in this time: those before{' '}
            {new Date(report.counted_from).toLocaleString()} are left out. Choose a shorter time.
          </p>
        </Notice>
      )}
      <div class="usage-chart sheet">
        <Segments
          name="Measure"
          value={measure}
          options={measures.map((one) => [one, one])}
          choose={choose}
        />
        <BarChart
          bars={barsOf(report, totals, measure)}
          names={totals.map(({ name }) => name)}
          measure={measure}
          step={report.step_seconds * 1_000}
        />
      </div>
      <UsageTable by={report.by} totals={totals} since={since} />
    </>
  )
}
