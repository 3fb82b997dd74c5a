import { useEffect, useMemo, useState } from 'preact/hooks'
import { useShown } from '../state/use-shown.ts'
import { count } from '../text/count.ts'
import { parts, type Row, type Token } from '../text/rows.ts'
import { Pieces } from './data.tsx'
import { Stretch } from './stretch.tsx'

/** More would keep the browser busy for seconds. */
const partsAtOnce = 10

/**
 * Only what has a colour gets an element of its own: a megabyte of JSON is a hundred thousand
 * tokens.
 */
function TokenView({ kind, text }: Token) {
  if (kind === 'plain' || kind === 'punctuation') return <Pieces text={text} />
  return (
    <span class={`token ${kind}`}>
      <Pieces text={text} />
    </span>
  )
}

function Part({ rows }: { rows: readonly Row[] }) {
  // The same nodes as long as the rows are the same: a live page would otherwise compare a megabyte
  // at every event.
  return useMemo(
    () => (
      <div class="rows">
        {rows.map(({ label, tokens }) => (
          <div class="row" data-label={label || '↳'}>
            {tokens.map((token) => (
              <TokenView {...token} />
            ))}
          </div>
        ))}
      </div>
    ),
    [rows],
  )
}

/**
 * All of a payload, part after part; says how much is still to come, and tells when all of it has
 * been on the screen.
 */
export function Code({
  rows,
  view,
  onShown,
}: {
  rows: readonly Row[]
  /** Names these rows: other rows have not been seen yet. */
  view: string
  onShown: () => void
}) {
  const all = useMemo(() => parts(rows), [rows])
  const [open, setOpen] = useState(1)
  const { shown, markShown } = useShown(view)
  const complete = all.every((_, i) => shown.has(String(i)))
  useEffect(() => {
    if (complete) onShown()
  }, [complete, onShown])
  const more = Math.min(all.length - open, partsAtOnce)
  const hidden = all.slice(open).reduce((sum, part) => sum + part.length, 0)

  return (
    <>
      {all.slice(0, open).map((part, i) => (
        <Stretch key={i} name={String(i)} shown={shown.has(String(i))} onShown={markShown}>
          <Part rows={part} />
        </Stretch>
      ))}
      {hidden > 0 && (
        <div class="rest" data-unshown="" tabIndex={-1}>
          <p>
            {open} of {all.length} parts are on this page.{' '}
            <strong>{count(hidden, 'more line')}</strong> {hidden === 1 ? 'is' : 'are'} not yet.
          </p>
          <button type="button" onClick={() => setOpen(open + 1)}>
            Show the next part
          </button>
          {more > 1 && (
            <button type="button" onClick={() => setOpen(open + more)}>
              {open + more === all.length ? 'Show all of it' : `Show ${more} more parts`}
            </button>
          )}
        </div>
      )}
    </>
  )
}
