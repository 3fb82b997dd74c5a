import { useState } from 'preact/hooks'
import { spanOf, type ActivityFilter } from '../state/activity-filter.ts'
import type { Downloading } from '../state/use-download.ts'

const formats = [
  ['ndjson', 'NDJSON'],
  ['csv', 'CSV'],
  ['ocsf', 'OCSF'],
  ['cef', 'CEF'],
] as const

/** Takes away all that is on record of the time that is looked at. */
export function Export({
  filter,
  download: { busy, take },
}: {
  filter: ActivityFilter
  download: Downloading
}) {
  const [format, setFormat] = useState('ndjson')
  const ask = () => {
    const { since, from, to } = filter
    const asked = new URLSearchParams({ format, ...spanOf(filter, Date.now()) })
    take(JSON.stringify([format, since, from, to]), `/api/audit/export?${asked}`)
  }
  return (
    <span class="export">
      <select
        aria-label="Format of the export"
        value={format}
        onChange={(event) => setFormat(event.currentTarget.value)}
      >
        {formats.map(([value, name]) => (
          <option value={value}>{name}</option>
        ))}
      </select>
      <button
        type="button"
        class="button quiet"
        title="Every event of the time range, whatever else is searched for; as NDJSON it is as it was hashed, and can be verified. The export goes on record."
        disabled={busy}
        onClick={ask}
      >
        {busy ? 'Exporting …' : 'Export'}
      </button>
    </span>
  )
}
