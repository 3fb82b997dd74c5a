import { queries } from '../../../audit/evidence/queries.ts'
import type { ShownAnswer, ShownEvidence } from '../api/types.ts'
import { pageHref, storyHref } from '../state/route.ts'
import { Data } from './data.tsx'
import { Notice } from './notice.tsx'

/** As many groups and findings are shown; all of them are in the ZIP file. */
const most = 20

type Name = keyof ShownEvidence['answers']

/** As the page that auditors print, with links into the log. */
export function EvidenceReport({ report }: { report: ShownEvidence }) {
  const { title, span, made, controls, answers } = report
  const used = [...new Set(controls.flatMap(({ shows }) => shows))]
  return (
    <article class="evidence-report">
      <h2 class="evidence-title">{title}</h2>
      <p class="fine">
        From {span.from} up to {span.to}, by when events came into the log. Made {made}.
      </p>
      <Integrity report={report} />
      {controls.map((control) => (
        <section class="sheet control">
          <h3>
            {control.id} {control.title}
          </h3>
          <p>{control.supports}</p>
          <table>
            <thead class="sr">
              <tr>
                <th>In the log</th>
                <th>Events</th>
              </tr>
            </thead>
            <tbody>
              {control.shows.map((name) => (
                <tr>
                  <td>
                    <button type="button" class="plain" onClick={() => goTo(name)}>
                      {answers[name].title}
                    </button>
                  </td>
                  <td class="count">{answers[name].count.toLocaleString()}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p class="fine">
            <strong>Not shown here:</strong> {control.elsewhere}
          </p>
        </section>
      ))}
      <h2>What the log says</h2>
      <p class="fine">
        Each number says how many events of this period match. Samples are the events with the
        lowest hashes, so nobody can choose them.
      </p>
      {used.map((name) => (
        <Answer name={name} answer={answers[name]} span={span} />
      ))}
    </article>
  )
}

function Integrity({ report: { verified, checkpoint, keys } }: { report: ShownEvidence }) {
  const { ok, lines, erased, retained, signed, findings } = verified
  const good = ok && signed !== null
  return (
    <section class="integrity">
      {good ? (
        <Notice tone="good" title="Nothing was changed, removed, added or moved">
          <p>
            All events of this period belong to the log of {signed.size.toLocaleString()} events
            that was signed
            {signed.time && ` at ${signed.time}`}.
          </p>
        </Notice>
      ) : (
        <Notice tone="alarm" title="This is not what was recorded">
          <p>Nothing below can be relied on before that is explained.</p>
        </Notice>
      )}
      <p class="fine">
        {lines.toLocaleString()} events, {erased.toLocaleString()} with their personal part erased,{' '}
        {retained.toLocaleString()} kept elsewhere: only their hashes are here.
      </p>
      {findings.length > 0 && (
        <ul class="findings">
          {findings.slice(0, most).map(({ kind, line, message }) => (
            <li>
              <code>{kind}</code> at event {line} of this period: <Data text={message} />
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>The signed checkpoint, and the keys that it was verified with</summary>
        <pre>{checkpoint}</pre>
        <pre>{keys.join('\n')}</pre>
        <p class="fine">
          The log itself names these keys. Whether they are the right ones shows only when they are
          compared with keys that were kept elsewhere.
        </p>
      </details>
    </section>
  )
}

function Answer({
  name,
  answer: { title, count, groups, samples },
  span,
}: {
  name: Name
  answer: ShownAnswer
  span: ShownEvidence['span']
}) {
  const { search } = queries[name] as (typeof queries)[Name] & { search?: Record<string, string> }
  const more = groups.slice(most).reduce((sum, group) => sum + group.count, 0)
  return (
    <section class="answer" id={`answer-${name}`}>
      <h3 tabIndex={-1}>
        {title}: {count.toLocaleString()}
      </h3>
      {search && count > 0 && (
        <a class="evidence-link" href={pageHref('activity', { ...search, ...span })}>
          In the activity
        </a>
      )}
      {count === 0 && <p class="fine">None in this period.</p>}
      {count > 0 && (
        <table>
          <tbody>
            {groups.slice(0, most).map((group) => (
              <tr>
                <td>
                  <Data text={group.name} limit={200} />
                </td>
                <td class="count">{group.count.toLocaleString()}</td>
              </tr>
            ))}
            {more > 0 && (
              <tr>
                <td>all others</td>
                <td class="count">{more.toLocaleString()}</td>
              </tr>
            )}
          </tbody>
        </table>
      )}
      {samples.length > 0 && (
        <ul class="samples">
          {samples.map((sample) => (
            <Sample key={sample.id} sample={sample} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Sample({ sample }: { sample: ShownAnswer['samples'][number] }) {
  const { id, time, type, action, approval, who, what } = sample
  const story =
    approval !== null
      ? storyHref('approval', approval)
      : action !== null && storyHref('action', action)
  return (
    <li>
      <p>
        <time>{time}</time> {story ? <a href={story}>{type}</a> : type}
        {who !== null && (
          <>
            {' '}
            <Data text={who} limit={200} />
          </>
        )}
      </p>
      <p class="fine">
        <Data text={what} limit={400} /> <code>{id}</code>
      </p>
    </li>
  )
}

function goTo(name: Name): void {
  const section = document.getElementById(`answer-${name}`)!
  section.scrollIntoView({ block: 'start' })
  section.querySelector<HTMLElement>('h3')!.focus({ preventScroll: true })
}
