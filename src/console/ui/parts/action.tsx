import { useCallback, useEffect, useMemo } from 'preact/hooks'
import type { JsonObject } from '../../../core/json.ts'
import { takeApart, type ShownHeader } from '../state/payload.ts'
import { count } from '../text/count.ts'
import { formatJson } from '../text/json.ts'
import { textRows } from '../text/rows.ts'
import { BodyView } from './body.tsx'
import { Code } from './code.tsx'
import { Data } from './data.tsx'
import { Sql } from './sql.tsx'
import { Stretch } from './stretch.tsx'

function Headers({ headers }: { headers: readonly ShownHeader[] }) {
  if (headers.length === 0) return <p class="fine">No headers.</p>
  return (
    <table class="headers">
      <caption class="sr">{count(headers.length, 'header')}, as they are forwarded</caption>
      <tbody>
        {headers.map(({ name, value }) => (
          <tr>
            <th scope="row">
              <Data text={name} />
            </th>
            <td>
              {value === null ? (
                <em>a secret, not shown; the digest covers it</em>
              ) : (
                <Data text={value} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Everything that would be forwarded. Tells, once, when all of it has been on the screen. */
export function Action({
  payload,
  view,
  shown,
  onShown,
}: {
  payload: JsonObject
  /** The `view_hash`: names what is shown. */
  view: string
  shown: ReadonlySet<string>
  onShown: (stretch: string) => void
}) {
  const { request, headers, sql, body, rest } = useMemo(() => takeApart(payload), [view])
  const content = body && body.bytes.length > 0 ? body : null
  const others = useMemo(() => {
    const text = JSON.stringify(rest, null, 2)
    return rest && (formatJson(text)?.rows ?? textRows(text))
  }, [rest])
  const bodyShown = useCallback(() => onShown('body'), [onShown])
  const othersShown = useCallback(() => onShown('others'), [onShown])
  const complete =
    shown.has('head') &&
    (sql ?? []).every((_, i) => shown.has(`sql ${i}`)) &&
    (!content || shown.has('body')) &&
    (!others || shown.has('others'))
  useEffect(() => {
    if (complete) onShown('all')
  }, [complete, onShown])

  return (
    <>
      <Stretch name="head" shown={shown.has('head')} onShown={onShown}>
        {request && (
          <p class="request-line">
            <strong>
              <Data text={request.method} />
            </strong>{' '}
            <Data text={request.target} />
          </p>
        )}
        {headers && <Headers headers={headers} />}
      </Stretch>
      {sql?.map((statement, i) => (
        <Sql key={i} {...statement} place={`sql ${i}`} view={view} onShown={onShown} />
      ))}
      {others && (
        <>
          {(request ?? sql) !== null && <h3>Also part of it</h3>}
          <div class="code json">
            <Code rows={others} view={`${view} others`} onShown={othersShown} />
          </div>
        </>
      )}
      {content ? (
        <>
          <h3>Body</h3>
          <BodyView body={content} view={view} onShown={bodyShown} />
        </>
      ) : (
        request && <p class="fine">No body.</p>
      )}
    </>
  )
}
