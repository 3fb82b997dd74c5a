import '../style/activity.css'
import '../style/run.css'
import { useCallback, useEffect, useState } from 'preact/hooks'
import { Failure } from '../api/call.ts'
import { fetchRun, type Run } from '../api/runs.ts'
import { Data } from '../parts/data.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { RunStep } from '../parts/run-step.tsx'
import { linesOf, type RunLine } from '../state/run.ts'
import { count } from '../text/count.ts'
import { fullTime, lasted } from '../text/time.ts'

/**
 * All that an agent did in one run, from its first call to its last: model, tools and statements,
 * with decisions, approvals and outcomes.
 */
export function RunPage({ trace }: { trace: string }) {
  const [run, setRun] = useState<Run | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const ask = useCallback(() => {
    setFailure(null)
    fetchRun(trace).then(setRun, (error: unknown) => setFailure(Failure.from(error)))
  }, [trace])
  useEffect(ask, [ask])
  const lines = run ? linesOf(run) : []
  return (
    <>
      <p class="back">
        <a href="#/activity">← Activity</a>
      </p>
      <h1 tabIndex={-1}>A run, call by call</h1>
      {failure && <FailureNotice failure={failure} again={ask} />}
      {!run && !failure && <p role="status">Reading the log …</p>}
      {run && (
        <>
          {lines.length > 0 && <Facts run={run} lines={lines} />}
          <ol class="calls sheet">
            {lines.map((line) => (
              <RunStep key={line.action.id} line={line} began={lines[0]!.at} />
            ))}
          </ol>
          {run.hidden > 0 && (
            <p class="fine">
              {count(run.hidden, 'more action')} of this run {run.hidden === 1 ? 'is' : 'are'} for
              auditors to see.
            </p>
          )}
          <UnreadableSteps steps={run.unreadable} />
          {!run.complete && (
            <p class="fine">There is more of it than is shown here: search the log by its trace.</p>
          )}
        </>
      )}
    </>
  )
}

function UnreadableSteps({ steps }: { steps: Run['unreadable'] }) {
  if (steps.length === 0) return null
  return (
    <Notice
      tone="alarm"
      title={`${count(steps.length, 'event')} of this run, or of its time, cannot be read`}
    >
      <p>Somebody with rights in the database put something else in their place. Verify the log.</p>
      <p class="fine">
        <Data text={steps.map(({ id }) => id).join(' ')} />
      </p>
    </Notice>
  )
}

function Facts({ run, lines }: { run: Run; lines: readonly RunLine[] }) {
  const first = lines[0]!
  const end = Math.max(...lines.map(({ at, took }) => Date.parse(at) + took))
  const names = (of: (line: RunLine) => string | null) =>
    [...new Set(lines.flatMap((line) => of(line) ?? []))].join(', ')
  return (
    <dl class="story-facts sheet">
      <dt>Who</dt>
      <dd>
        <Data text={names(({ who }) => who)} limit={300} />
      </dd>
      <dt>Resources</dt>
      <dd>
        <Data text={names(({ resource }) => resource)} limit={300} />
      </dd>
      <dt>When</dt>
      <dd>
        {fullTime(first.at)}, for {lasted(end - Date.parse(first.at))}
      </dd>
      <dt>Trace</dt>
      <dd>
        <Data text={run.trace} />
      </dd>
    </dl>
  )
}
