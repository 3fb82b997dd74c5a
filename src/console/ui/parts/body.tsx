import { useMemo, useState } from 'preact/hooks'
import type { Body } from '../state/payload.ts'
import { hexRows } from '../text/bytes.ts'
import { count } from '../text/count.ts'
import { formatJson } from '../text/json.ts'
import { textRows } from '../text/rows.ts'
import { Code } from './code.tsx'
import { Data } from './data.tsx'
import { Notice } from './notice.tsx'
import { Segments } from './segments.tsx'

type View = 'json' | 'text' | 'hex'

const names: Readonly<Record<View, string>> = { json: 'Formatted', text: 'As sent', hex: 'Bytes' }

/** Bytes in a line of the hexadecimal view: as many as fit without scrolling sideways. */
const hexWidth = () => (matchMedia('(min-width: 48rem)').matches ? 16 : 8)

/**
 * The whole body in each of the ways it can be read. Each way is complete by itself (the formatted
 * one is made of the tokens as they were sent), so having seen one to its end is having seen the
 * body.
 */
export function BodyView({
  body,
  view: id,
  onShown,
}: {
  body: Body
  view: string
  onShown: () => void
}) {
  const { text, bytes, mediaType } = body
  const json = useMemo(() => (text === null ? null : formatJson(text)), [text])
  const offered: View[] = [
    ...(json ? ['json' as const] : []),
    ...(text === null ? [] : ['text' as const]),
    'hex',
  ]
  const [chosen, choose] = useState<View>()
  const view = chosen && offered.includes(chosen) ? chosen : offered[0]!
  const rows = useMemo(() => {
    if (view === 'json') return json!.rows
    return view === 'text' ? textRows(text!) : hexRows(bytes, hexWidth())
  }, [view, json, text, bytes])

  return (
    <div class="body">
      <div class="body-head">
        <p class="fine">
          {count(bytes.length, 'byte')}
          {mediaType !== null && (
            <>
              {' · '}
              <Data text={mediaType} />
            </>
          )}
          {text === null && ' · not text, so its bytes are shown'}
        </p>
        {offered.length > 1 && (
          <Segments
            name="Show the body"
            value={view}
            options={offered.map((it) => [it, names[it]])}
            choose={(it) => choose(it as View)}
          />
        )}
      </div>
      {json && json.duplicates.length > 0 && (
        <Notice tone="alarm" title="This JSON can be read in more than one way">
          <p>
            It names{' '}
            {json.duplicates.map((name, i) => (
              <>
                {i > 0 && ', '}
                <code>
                  <Data text={name} />
                </code>
              </>
            ))}{' '}
            more than once in the same object, and programs disagree on which one counts.
          </p>
        </Notice>
      )}
      <div class={`code ${view}`}>
        <Code key={view} rows={rows} view={`${id} ${view}`} onShown={onShown} />
      </div>
    </div>
  )
}
