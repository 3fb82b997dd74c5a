import { useCallback, useMemo } from 'preact/hooks'
import { sqlRows } from '../text/sql.ts'
import { Code } from './code.tsx'
import { Data } from './data.tsx'

interface SqlProps {
  /** Of a prepared statement; `null` for the one that is sent. */
  name: string | null
  text: string
  /** What is told to have been shown. */
  place: string
  view: string
  onShown: (place: string) => void
}

/** A statement as it would be sent. Its colours change nothing in it. */
export function Sql({ name, text, place, view, onShown }: SqlProps) {
  const rows = useMemo(() => sqlRows(text), [text])
  const seen = useCallback(() => onShown(place), [onShown, place])
  return (
    <>
      {name !== null && (
        <h3>
          Prepared before, as <Data text={name} />
        </h3>
      )}
      <div class="code sql">
        <Code rows={rows} view={`${view} ${place}`} onShown={seen} />
      </div>
    </>
  )
}
