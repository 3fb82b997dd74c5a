import type { ComponentChildren } from 'preact'
import type { Step } from '../state/steps.ts'
import { clockTime, fullTime } from '../text/time.ts'
import { Data } from './data.tsx'

const day = (at: string) => new Date(at).toLocaleDateString('en', { dateStyle: 'medium' })

/** What happened, from the first to the last. */
export function Timeline({
  steps,
  detailsOf,
}: {
  steps: readonly Step[]
  /** What else there is to a step, below it. */
  detailsOf?: (step: Step) => ComponentChildren
}) {
  return (
    <ol class="timeline">
      {steps.map((step, i) => (
        <li key={step.key} class={`step step-${step.tone}`}>
          <p class="step-head">
            <strong>{step.title}</strong>
            {step.who !== null && (
              <span class="step-who">
                <Data text={step.who} limit={80} />
              </span>
            )}
            <time class="fine" dateTime={step.at} title={fullTime(step.at)}>
              {(i === 0 || day(steps[i - 1]!.at) !== day(step.at)) && `${day(step.at)}, `}
              {clockTime(step.at)}
            </time>
          </p>
          {step.says !== null && (
            <q>
              <Data text={step.says} />
            </q>
          )}
          {step.more.length > 0 && (
            <p class="fine">
              {step.more.map((one, n) => (
                <>
                  {n > 0 && ' · '}
                  <Data text={one} limit={300} />
                </>
              ))}
            </p>
          )}
          {detailsOf?.(step)}
        </li>
      ))}
    </ol>
  )
}
