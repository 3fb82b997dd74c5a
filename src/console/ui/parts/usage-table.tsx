import type { UsageReport } from '../api/types.ts'
import { pageHref } from '../state/route.ts'
import { dimensions, measureName, measuresIn, type totalsOf } from '../state/usage-chart.ts'
import { amount } from '../text/amount.ts'
import { colourOf } from './bar-chart.tsx'
import { Data } from './data.tsx'

/** What is worth seeing of one of them. */
const next = {
  subject: 'resource',
  resource: 'subject',
  dataset: 'subject',
  class: 'subject',
  model: 'subject',
} as const

/** The same in numbers; a name leads to what it touched, or who touched it. */
export function UsageTable({
  by,
  totals,
  since,
}: {
  by: UsageReport['by']
  totals: ReturnType<typeof totalsOf>
  since: string
}) {
  const measures = measuresIn(totals)
  return (
    <table class="usage-table sheet">
      <caption class="sr">Totals of the whole range, by {by}</caption>
      <thead>
        <tr>
          <th scope="col">{dimensions[by].one}</th>
          {measures.map((measure) => (
            <th scope="col">{measureName(measure)}</th>
          ))}
          <th scope="col">
            <span class="sr">More</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {totals.map((total, i) => (
          <tr>
            <th scope="row">
              <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true">
                <rect class={colourOf(i, total.name)} width="1" height="1" />
              </svg>
              {total.name === null ? (
                'all others'
              ) : (
                <a
                  href={pageHref('usage', { by: next[by], [by]: total.name, since })}
                  title={by === 'subject' ? 'What it touched' : 'Who touched it'}
                >
                  <Data text={total.name} limit={60} />
                </a>
              )}
            </th>
            {measures.map((measure) => (
              <td data-measure={measure}>{amount(total[measure], measure)}</td>
            ))}
            <td>
              {total.name !== null && (
                <a href={pageHref('activity', { [by]: total.name, since })}>Activity</a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
