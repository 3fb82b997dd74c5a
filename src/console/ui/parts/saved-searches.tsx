import { useEffect, useState } from 'preact/hooks'
import { Failure } from '../api/call.ts'
import { forgetSearch, listSearches, saveSearch, type SavedSearch } from '../api/searches.ts'
import { pageHref } from '../state/route.ts'
import { visible } from '../text/invisible.ts'
import { Data } from './data.tsx'
import { FailureNotice } from './notice.tsx'

/** Searches that this person keeps, and the one at hand to keep with them. */
export function SavedSearches({
  csrf,
  asked,
}: {
  csrf: string
  /** What is searched for now; `null` where that is nothing. */
  asked: Readonly<Record<string, string>> | null
}) {
  const [saved, setSaved] = useState<readonly SavedSearch[]>([])
  const [name, setName] = useState('')
  const [failure, setFailure] = useState<Failure | null>(null)
  const after = (work: Promise<unknown>) => {
    setFailure(null)
    work
      .then(listSearches)
      .then(setSaved)
      .catch((error: unknown) => setFailure(Failure.from(error)))
  }
  useEffect(() => after(Promise.resolve()), [])
  const save = (event: Event) => {
    event.preventDefault()
    if (asked === null || name.trim() === '') return
    after(saveSearch(csrf, { name: name.trim(), query: asked }))
    setName('')
  }
  return (
    <details class="saved">
      <summary>Saved searches{saved.length > 0 && ` (${saved.length})`}</summary>
      <div class="sheet">
        {failure && <FailureNotice failure={failure} />}
        {saved.length === 0 && <p class="fine">None yet.</p>}
        <ul>
          {saved.map((one) => (
            <li key={one.name}>
              <a href={pageHref('activity', one.query)}>
                <Data text={one.name} />
              </a>
              <button
                type="button"
                class="plain"
                onClick={() => after(forgetSearch(csrf, one.name))}
              >
                Forget<span class="sr"> {visible(one.name)}</span>
              </button>
            </li>
          ))}
        </ul>
        {asked === null ? (
          <p class="fine">Search for something, and it can be saved here.</p>
        ) : (
          <form class="toolbar" onSubmit={save}>
            <input
              aria-label="Name of this search"
              placeholder="Name of this search"
              maxLength={80}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button type="submit" disabled={name.trim() === ''}>
              Save this search
            </button>
          </form>
        )}
        <p class="fine">
          They are yours alone. To share one, send its address: everything that is searched for
          stands in it.
        </p>
      </div>
    </details>
  )
}
