import { useMemo } from 'preact/hooks'
import { sqlRows } from '../text/sql.ts'
import { Code } from './code.tsx'

/** A statement as it would be sent. Its colours change nothing in it. */
export function Sql({ text, view, onShown }: { text: string; view: string; onShown: () => void }) {
  const rows = useMemo(() => sqlRows(text), [text])
  return (
    <div class="code sql">
      <Code rows={rows} view={`${view} sql`} onShown={onShown} />
    </div>
  )
}
