import { useState } from 'preact/hooks'
import type { AuditEvent } from '../api/types.ts'
import { formatJson } from '../text/json.ts'
import { Lines } from './lines.tsx'

/** The whole event, as the log has it, for whoever opens it. */
export function EventDetails({ event }: { event: AuditEvent }) {
  const [open, setOpen] = useState(false)
  return (
    <details class="story-details" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Event {event.type}</summary>
      {open && <Lines rows={formatJson(JSON.stringify(event))!.rows} kind="json" />}
    </details>
  )
}
