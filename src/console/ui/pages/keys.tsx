import '../style/keys.css'
import { useState } from 'preact/hooks'
import type { Me, ShownKey } from '../api/types.ts'
import { KeyForm, type MadeKey } from '../parts/key-form.tsx'
import { KeyRow } from '../parts/key-row.tsx'
import { NewToken } from '../parts/new-token.tsx'
import { FailureNotice } from '../parts/notice.tsx'
import { useAnswer } from '../state/use-answer.ts'

/** Keys of agents and services: made, looked over and ended here. */
export function KeysPage({ me }: { me: Me }) {
  const { answer, failure, ask } = useAnswer<{ keys: readonly ShownKey[] }>('/api/keys')
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<MadeKey | null>(null)
  const keys = answer?.keys ?? []
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Keys</h1>
        {!making && (
          <button type="button" class="approve" onClick={() => setMaking(true)}>
            New key
          </button>
        )}
      </div>
      {made && <NewToken {...made} done={() => setMade(null)} />}
      {making && (
        <KeyForm
          me={me}
          close={() => setMaking(false)}
          made={(key) => {
            setMaking(false)
            setMade(key)
            ask()
          }}
        />
      )}
      {failure && <FailureNotice failure={failure} again={ask} />}
      {!answer && !failure && <p role="status">Looking for keys …</p>}
      {answer && keys.length === 0 && (
        <div class="empty">
          <p>
            <strong>There are no keys.</strong>
          </p>
          <p class="fine">Agents that get tokens from your identity provider need none.</p>
        </div>
      )}
      {keys.length > 0 && (
        <table class="keys-table sheet">
          <caption class="sr">Keys, the newest first</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Owner</th>
              <th scope="col">Groups</th>
              <th scope="col">Last used</th>
              <th scope="col">Ends</th>
              <th scope="col">
                <span class="sr">What to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <KeyRow key={key.id} me={me} it={key} changed={ask} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
