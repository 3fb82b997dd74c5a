import { useMemo } from 'preact/hooks'
import type { Row } from '../text/rows.ts'
import { Pieces } from './data.tsx'

/**
 * Text in colours, all of it at once: for what nobody decides about. `marked` is the number of the
 * line that is meant.
 */
export function Lines({
  rows,
  kind,
  marked,
}: {
  rows: readonly Row[]
  kind: 'json' | 'yaml'
  marked?: number
}) {
  return useMemo(
    () => (
      <div class={`code ${kind}`}>
        <div class="rows">
          {rows.map(({ label, tokens }) => (
            <div class={label === String(marked) ? 'row marked' : 'row'} data-label={label}>
              {tokens.map(({ kind: colour, text }) => (
                <span class={`token ${colour}`}>
                  <Pieces text={text} />
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
    ),
    [rows, kind, marked],
  )
}
