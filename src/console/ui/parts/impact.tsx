import type { Approval, Counted } from '../api/types.ts'
import { count } from '../text/count.ts'

/** How much it would touch, where the gateway found that out beforehand. */
export function Impact({ impact }: { impact: NonNullable<Approval['impact']> }) {
  const { rows, exact_rows: exact } = impact
  return (
    <>
      {exact !== undefined && (
        <Rows
          counted={exact}
          known="would be touched, counted just before you were asked by a run that was rolled back."
        />
      )}
      {(exact === undefined || typeof exact !== 'number') && (
        <Rows
          counted={rows}
          about="about "
          known="would be touched: an estimate of the database, which can be far off."
        />
      )}
    </>
  )
}

function Rows({ counted, known, about }: { counted: Counted; known: string; about?: string }) {
  if (typeof counted !== 'number') {
    return <p class="impact fine">How many rows it would touch is not known. {counted.unknown}</p>
  }
  return (
    <p class="impact">
      <strong>
        {about}
        {count(counted, 'row')}
      </strong>{' '}
      <span class="fine">{known}</span>
    </p>
  )
}
