import '../style/policies.css'
import { useState } from 'preact/hooks'
import type { Me, ShownPolicies } from '../api/types.ts'
import { Data } from '../parts/data.tsx'
import { Explain } from '../parts/explain.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { PolicyFile } from '../parts/policy-file.tsx'
import { PolicyTests } from '../parts/policy-tests.tsx'
import { Replay } from '../parts/replay.tsx'
import { Segments } from '../parts/segments.tsx'
import { pageHref } from '../state/route.ts'
import { ruleLine } from '../state/rule-line.ts'
import { useAnswer } from '../state/use-answer.ts'
import { replacePlace } from '../state/use-route.ts'
import { visible } from '../text/invisible.ts'
import { count } from '../text/count.ts'

/** The rules in force, as they were written, and a place to ask them. */
export function PoliciesPage({ me, query }: { me: Me; query: URLSearchParams }) {
  const { answer, failure, ask } = useAnswer<ShownPolicies>('/api/policies')
  const rule = query.get('rule')
  const asked = query.get('view') ?? ''
  const views = [
    ['files', 'Files'],
    ['tests', 'Tests'],
    ['ask', 'Ask them'],
    // Shows what others did.
    ...(me.roles.includes('auditor') ? ([['replay', 'Try a change']] as const) : []),
  ] as const
  const view = views.find(([one]) => one === asked)?.[0] ?? 'files'
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>
          Policies{' '}
          {answer && <span class="count">{count(answer.documents.length, 'file')} in force</span>}
        </h1>
        <Segments
          name="Show"
          value={view}
          options={views}
          choose={(value) =>
            replacePlace(pageHref('policies', { view: value === 'files' ? '' : value }))
          }
        />
      </div>
      {failure && <FailureNotice failure={failure} again={ask} />}
      {!answer && !failure && <p role="status">Reading the policies …</p>}
      {answer && answer.observed.length > 0 && (
        <Notice tone="alarm" title="Not enforced everywhere">
          <p>
            On{' '}
            {answer.observed.map((name, i) => (
              <>
                {i > 0 && ', '}
                <Data text={name} />
              </>
            ))}{' '}
            policies are recorded only: whatever they say, everything runs.
          </p>
        </Notice>
      )}
      {answer && view === 'files' && <Files policies={answer} rule={rule} />}
      {answer && view === 'tests' && <PolicyTests />}
      {answer && view === 'ask' && <Explain me={me} />}
      {answer && view === 'replay' && <Replay key={answer.hash} me={me} policies={answer} />}
    </>
  )
}

function Files({ policies, rule }: { policies: ShownPolicies; rule: string | null }) {
  const { hash, generation, documents } = policies
  const lines = new Map(documents.map(({ file, text }) => [file, ruleLine(text, rule)]))
  const meant = documents.find(({ file }) => lines.get(file) !== null)
  const [chosen, choose] = useState<string | null>(null)
  const shown = documents.find(({ file }) => file === chosen) ?? meant ?? documents[0]
  return (
    <>
      <p class="fine hash">
        Generation {generation}, version <code>{hash}</code>: a hash of what the rules say, however
        their files are written. Every decision in the log names the version that it was taken by.
      </p>
      {documents.length === 0 && (
        <p>There are no policy files. What no rule allows is denied, so nothing runs.</p>
      )}
      {documents.length > 1 && shown && (
        <Segments
          name="File"
          value={shown.file}
          // They are all in one folder.
          options={documents.map(({ file }) => [file, visible(file.split('/').at(-1)!)])}
          choose={choose}
        />
      )}
      {shown && <PolicyFile key={shown.file} {...shown} marked={lines.get(shown.file) ?? null} />}
    </>
  )
}
