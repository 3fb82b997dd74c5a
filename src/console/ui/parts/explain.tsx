import { useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { Me, ShownExplanation } from '../api/types.ts'
import { examples, questionOf } from '../state/question.ts'
import { Explanation } from './explanation.tsx'
import { FailureNotice, Notice } from './notice.tsx'

const kinds = Object.keys(examples)
const exampleText = (name: string) => JSON.stringify(examples[name], null, 2)

/** Asks what would be decided about an action, and why. Nothing runs. */
export function Explain({ me }: { me: Me }) {
  const [answer, setAnswer] = useState<ShownExplanation | null>(null)
  const [failure, setFailure] = useState<Failure | 'no-json' | null>(null)
  const [attributes, setAttributes] = useState(exampleText(kinds[0]!))
  const ask = (form: FormData) => {
    setFailure(null)
    let body
    try {
      body = questionOf(form)
    } catch {
      // What is no JSON is no question; the form says so.
      setFailure('no-json')
      return
    }
    call<ShownExplanation>('/api/policies/explain', {
      method: 'POST',
      csrf: me.csrf_token,
      body,
    }).then(
      (it) => setAnswer(it.body),
      (error: unknown) => setFailure(Failure.from(error)),
    )
  }
  return (
    <div class="explain">
      <form
        class="sheet"
        aria-label="An action"
        onSubmit={(event) => {
          event.preventDefault()
          ask(new FormData(event.currentTarget))
        }}
      >
        <fieldset class="explain-fields">
          <legend>Who</legend>
          <label class="field">
            Subject
            <input name="subject" required defaultValue="support-agent" />
          </label>
          <label class="field">
            Kind
            <select name="kind">
              <option>agent</option>
              <option>service</option>
              <option>human</option>
            </select>
          </label>
          <label class="field">
            Groups
            <input name="groups" placeholder="agents, support" />
          </label>
          <label class="field">
            Owner
            <input name="owner" placeholder="nobody known" />
          </label>
          <label class="field wide">
            Issuer
            <input name="issuer" required defaultValue={me.person.issuer} />
          </label>
        </fieldset>
        <fieldset class="explain-fields">
          <legend>What</legend>
          <label class="field">
            Resource
            <input name="resource" required placeholder="crm" />
          </label>
          <label class="field">
            Action
            <select
              name="name"
              onChange={(event) => setAttributes(exampleText(event.currentTarget.value))}
            >
              {kinds.map((kind) => (
                <option>{kind}</option>
              ))}
            </select>
          </label>
          <label class="field">
            Effect
            <select name="effect">
              <option>unknown</option>
              <option>read</option>
              <option>write</option>
              <option>admin</option>
            </select>
          </label>
          <label class="field">
            The agent’s reason
            <input name="reason" placeholder="none" />
          </label>
          <label class="field wide">
            Attributes, as JSON
            <textarea
              name="attributes"
              rows={7}
              spellcheck={false}
              value={attributes}
              onInput={(event) => setAttributes(event.currentTarget.value)}
            />
          </label>
        </fieldset>
        {failure === 'no-json' && (
          <Notice tone="bad" title="The attributes are no JSON">
            <p>Look for a missing quote, comma or brace.</p>
          </Notice>
        )}
        {failure instanceof Failure && <FailureNotice failure={failure} />}
        <button class="approve">What would be decided?</button>
      </form>
      <div role="status" aria-label="The answer">
        {answer ? (
          <Explanation answer={answer} />
        ) : (
          <p class="fine">
            Describe an action, and see what would be decided about it, by which rules, and what
            would have to be otherwise. Nothing runs, and nothing goes on record.
          </p>
        )}
      </div>
    </div>
  )
}
