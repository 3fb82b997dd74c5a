import { useState } from 'preact/hooks'
import type { KeyScope } from '../../../identity/agent-key.ts'
import { call, Failure } from '../api/call.ts'
import type { Me, WaitingForPeople } from '../api/types.ts'
import { listField, textField } from '../state/form.ts'
import { FailureNotice } from './notice.tsx'

export interface MadeKey {
  readonly name: string
  readonly token: string
  /** What it waits for before it opens anything, where a rule holds it. */
  readonly approval: string | null
}

interface KeyFormProps {
  me: Me
  close: () => void
  made: (made: MadeKey) => void
}

const scopes: Readonly<Record<KeyScope, string>> = {
  'approvals:read': 'approvals',
  'audit:read': 'the audit log',
  'policies:evaluate': 'what the policies would decide',
}

/** What `POST /api/keys` takes; what was left empty is left out, and means what it means there. */
function wanted(form: FormData): object {
  const text = (name: string) => textField(form, name)
  const [group, owner, ends] = [text('owner_group'), text('owner'), text('expires')]
  return {
    name: text('name'),
    kind: text('kind'),
    groups: listField(form, 'groups'),
    scopes: form.getAll('scopes'),
    ...(group && { owner: { group } }),
    ...(owner && !group && { owner: { subject: owner } }),
    expires_at: ends ? new Date(`${ends}T23:59:59`).toISOString() : null,
  }
}

export function KeyForm({ me, close, made }: KeyFormProps) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [sending, setSending] = useState(false)
  const send = async (form: FormData) => {
    setSending(true)
    setFailure(null)
    try {
      const { body } = await call<{ token: string } & Partial<WaitingForPeople>>('/api/keys', {
        method: 'POST',
        csrf: me.csrf_token,
        body: wanted(form),
      })
      const { token, approval = null } = body
      made({ name: textField(form, 'name'), token, approval })
    } catch (error) {
      setFailure(Failure.from(error))
      setSending(false)
    }
  }
  return (
    <form
      class="key-form sheet"
      aria-label="New key"
      onSubmit={(event) => {
        event.preventDefault()
        void send(new FormData(event.currentTarget))
      }}
    >
      <label class="field">
        Name
        <input
          name="name"
          required
          pattern="[a-z0-9][a-z0-9\-]{0,62}"
          title="Lower-case letters, digits and dashes."
          placeholder="nightly-report"
          autocomplete="off"
        />
        <span class="fine">What policies and the log call it. Never used twice.</span>
      </label>
      <label class="field">
        Kind
        <select name="kind">
          <option value="agent">agent</option>
          <option value="service">service</option>
        </select>
        <span class="fine">An agent decides by itself what it does.</span>
      </label>
      <label class="field">
        Groups
        <input name="groups" placeholder="agents, support" autocomplete="off" />
        <span class="fine">Which policies are about it. Commas between them.</span>
      </label>
      <label class="field">
        Ends
        <input name="expires" type="date" />
        <span class="fine">At the end of this day; empty: when it is revoked.</span>
      </label>
      <label class="field">
        Owner
        <input name="owner" placeholder={me.person.subject} autocomplete="off" />
        <span class="fine">Who answers for it, and so never approves for it. Empty: you.</span>
      </label>
      <label class="field">
        Or a group that owns it
        <input name="owner_group" autocomplete="off" />
        <span class="fine">Then none of its members approves for it.</span>
      </label>
      <fieldset>
        <legend>It may also read here</legend>
        {Object.entries(scopes).map(([scope, words]) => (
          <label class="check">
            <input type="checkbox" name="scopes" value={scope} />
            {words} <span class="fine">{scope}</span>
          </label>
        ))}
      </fieldset>
      {failure && <FailureNotice failure={failure} />}
      <div class="toolbar">
        <button class="approve" disabled={sending}>
          Create key
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  )
}
