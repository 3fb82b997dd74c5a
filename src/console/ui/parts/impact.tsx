import type { Approval } from '../api/types.ts'
import { count } from '../text/count.ts'

/** How much it would touch, where the gateway found that out beforehand. */
export function Impact({ impact }: { impact: NonNullable<Approval['impact']> }) {
  const { rows, exact } = impact
  return (
    <p class="impact">
      <strong>
        {!exact && 'about '}
        {count(rows, 'row')}
      </strong>{' '}
      <span class="fine">
        {exact
          ? 'would be touched, counted just before you were asked.'
          : 'would be touched: an estimate of the database, which can be far off.'}
      </span>
    </p>
  )
}
