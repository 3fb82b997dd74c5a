import type { Approval } from '../api/types.ts'
import { Data } from './data.tsx'

/**
 * Which data it touches, what of it its agent never touched before, and what rules counted of the
 * agent.
 */
export function DataUse({ approval }: { approval: Approval }) {
  const { data, first_use: first = [], usage } = approval
  return (
    <>
      {data && data.datasets.length > 0 && (
        <p class="impact">
          Touches <Data text={data.datasets.join(', ')} />{' '}
          {data.classes.length > 0 && (
            <span class="fine">
              (<Data text={data.classes.join(', ')} />)
            </span>
          )}
        </p>
      )}
      {first.length > 0 && (
        <p class="impact">
          <strong>For the first time:</strong> <Data text={first.join(', ')} />{' '}
          <span class="fine">
            No earlier action of this agent that ran is on record that touched this.
          </span>
        </p>
      )}
      {Object.entries(usage ?? {}).map(([fact, value]) => (
        <p class="impact fine" key={fact}>
          So far:{' '}
          <Data text={`${fact}: ${typeof value === 'number' ? value : JSON.stringify(value)}`} />
        </p>
      ))}
    </>
  )
}
