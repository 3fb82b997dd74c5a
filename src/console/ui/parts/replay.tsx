import { useState } from 'preact/hooks'
import type { Me, ShownPolicies } from '../api/types.ts'
import { ranges } from '../state/activity-filter.ts'
import { foldReplay, nothingReplayed, type Replayed } from '../state/replayed.ts'
import { useLines } from '../state/use-lines.ts'
import { visible } from '../text/invisible.ts'
import { FailureNotice } from './notice.tsx'
import { ReplayedActions } from './replayed.tsx'
import { Segments } from './segments.tsx'

type Document = ShownPolicies['documents'][number]

const nameOf = (file: string) => file.split('/').at(-1)!

/** A change of the policies, tried over what happened. It changes nothing. */
export function Replay({ me, policies }: { me: Me; policies: ShownPolicies }) {
  const inForce = policies.documents.map(({ file, text }) => ({ file: nameOf(file), text }))
  const [documents, setDocuments] = useState<readonly Document[]>(inForce)
  const [chosen, choose] = useState(inForce[0]?.file ?? '')
  const [since, setSince] = useState('7d')
  const { state, reading, failure, read } = useLines<Replayed>(nothingReplayed, foldReplay)
  const shown = documents.find(({ file }) => file === chosen) ?? documents[0]
  const put = (changed: readonly Document[]) =>
    setDocuments((all) => [
      ...all.map((document) => changed.find(({ file }) => file === document.file) ?? document),
      ...changed.filter(({ file }) => !all.some((document) => document.file === file)),
    ])
  const take = async (files: FileList | null) => {
    const taken = await Promise.all(
      [...(files ?? [])].map(async (file) => ({ file: file.name, text: await file.text() })),
    )
    if (taken.length === 0) return
    put(taken)
    choose(taken[0]!.file)
  }
  const replay = () =>
    read('/api/policies/replay', {
      method: 'POST',
      csrf: me.csrf_token,
      body: { from: new Date(Date.now() - ranges[since]!.ms).toISOString(), documents },
    })
  return (
    <div class="replay">
      <p class="fine">
        Change the rules here, or load files from your machine, and see which past actions they
        would have decided differently. Nothing comes into force.
      </p>
      {documents.length > 1 && shown && (
        <Segments
          name="File"
          value={shown.file}
          options={documents.map(({ file }) => [file, visible(file)])}
          choose={choose}
        />
      )}
      {shown && (
        <label class="field">
          <span class="sr">{visible(shown.file)}</span>
          <textarea
            rows={24}
            spellcheck={false}
            value={shown.text}
            onInput={(event) => put([{ file: shown.file, text: event.currentTarget.value }])}
          />
        </label>
      )}
      <div class="replay-ask">
        <button type="button" class="approve" disabled={reading} onClick={replay}>
          What would it change?
        </button>
        <select
          aria-label="Time"
          value={since}
          onChange={(event) => setSince(event.currentTarget.value)}
        >
          {Object.entries(ranges).map(([value, { name }]) => (
            <option value={value}>{name}</option>
          ))}
        </select>
        <label class="button quiet">
          Load files …
          <input
            type="file"
            class="sr"
            accept=".yaml"
            multiple
            onChange={(event) => void take(event.currentTarget.files)}
          />
        </label>
        {shown && documents.length > 1 && (
          <button
            type="button"
            class="plain"
            onClick={() => setDocuments(documents.filter((one) => one !== shown))}
          >
            Leave {visible(shown.file)} out
          </button>
        )}
        <button type="button" class="plain" onClick={() => setDocuments(inForce)}>
          Back to what is in force
        </button>
      </div>
      {failure && <FailureNotice failure={failure} />}
      {state && !failure && <ReplayedActions replayed={state} />}
    </div>
  )
}
