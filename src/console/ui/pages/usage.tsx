import '../style/usage.css'
import { useMemo } from 'preact/hooks'
import type { FirstUse, UsageDimension, UsageReport } from '../api/types.ts'
import { BarChart } from '../parts/bar-chart.tsx'
import { Choice } from '../parts/choice.tsx'
import { Data } from '../parts/data.tsx'
import { FirstUses } from '../parts/first-uses.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { Segments } from '../parts/segments.tsx'
import { UsageTable } from '../parts/usage-table.tsx'
import { ranges } from '../state/activity-filter.ts'
import { pageHref } from '../state/route.ts'
import {
  barsOf,
  dimensions,
  measureName,
  measures,
  measuresIn,
  totalsOf,
  type Measure,
} from '../state/usage-chart.ts'
import { useAnswer } from '../state/use-answer.ts'
import { replacePlace } from '../state/use-route.ts'
import { fullTime } from '../text/time.ts'

const usual = '24h'

const names = Object.keys(dimensions) as UsageDimension[]

/** What stands in the address. */
function wanted(query: URLSearchParams) {
  const by = names.find((one) => one === query.get('by')) ?? 'subject'
  const measure = measures.find((one) => one === query.get('measure')) ?? 'actions'
  const since = Object.hasOwn(ranges, query.get('since') ?? '') ? query.get('since')! : usual
  // One of them at a time: it is what a name in the table leads to.
  const of = names.find((one) => query.get(one))
  return { by, measure, since, of, name: of ? query.get(of)! : '' } as const
}

/** Who touched which data: how often, how many rows, how many bytes. */
export function UsagePage({ query }: { query: URLSearchParams }) {
  const { by, measure, since, of, name } = wanted(query)
  const span = useMemo(() => {
    const to = Date.now()
    const from = new Date(to - ranges[since]!.ms).toISOString()
    return { from, to: new Date(to).toISOString() }
  }, [since])
  const only = of && { [of]: name }
  const path = `/api/usage?${new URLSearchParams({ by, ...span, ...only })}`
  const { answer, failure, asking, ask } = useAnswer<UsageReport>(path)
  const set = (change: object) =>
    replacePlace(pageHref('usage', { by, measure, since, ...only, ...change }))
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>
          Usage{' '}
          {of && (
            <span class="count">
              {of === 'subject' ? 'of ' : 'on '}
              <Data text={name} limit={60} />{' '}
              <a href={pageHref('usage', { by: of, measure, since })}>show all</a>
            </span>
          )}
        </h1>
        <div class="toolbar">
          <Segments
            name="By"
            value={by}
            options={names.filter((one) => one !== of).map((one) => [one, dimensions[one].choice])}
            choose={(value) => set({ by: value })}
          />
          <Choice
            name="Time"
            value={since}
            options={Object.entries(ranges).map(([value, { name }]) => [value, name])}
            choose={(value) => set({ since: value })}
          />
        </div>
      </div>
      {failure && <FailureNotice failure={failure} again={ask} />}
      {!answer && asking && <p role="status">Counting …</p>}
      {answer && (
        <Report
          report={answer}
          measure={measure}
          since={since}
          choose={(value) => set({ measure: value })}
        />
      )}
      {(!of || of === 'subject' || of === 'resource') && (
        <NewUses path={`/api/usage/first?${new URLSearchParams({ ...span, ...only })}`} />
      )}
    </>
  )
}

/** What was touched for the first time in this time. */
function NewUses({ path }: { path: string }) {
  const { answer, failure } = useAnswer<{ first_uses: readonly FirstUse[] }>(path)
  if (failure) return <FailureNotice failure={failure} />
  return answer && answer.first_uses.length > 0 ? <FirstUses uses={answer.first_uses} /> : null
}

/** Counts follow the log within some seconds. */
const usuallyLate = 60_000

function isLate({ counted_until, to }: UsageReport): boolean {
  return Date.parse(to) - Date.parse(counted_until ?? '1970') > usuallyLate
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
        <p class="fine">Actions appear here some seconds after they were decided.</p>
      </div>
    )
  }
  return (
    <>
      {isLate(report) && (
        <Notice tone="waiting" title="Not all of it is counted yet">
          <p>
            {report.counted_until
              ? `What happened after ${fullTime(report.counted_until)} is missing.`
              : 'Nothing is.'}{' '}
            The gateway is counting.
          </p>
        </Notice>
      )}
      <div class="usage-chart sheet">
        <Segments
          name="Measure"
          value={measure}
          options={measuresIn(totals).map((one) => [one, measureName(one)])}
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
