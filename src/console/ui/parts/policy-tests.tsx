import type { ShownTest, ShownTests } from '../api/types.ts'
import { useAnswer } from '../state/use-answer.ts'
import { count } from '../text/count.ts'
import { visible } from '../text/invisible.ts'
import { FailureNotice, Notice } from './notice.tsx'

/** How the tests beside the policies come out against those in force; what fails comes first. */
export function PolicyTests() {
  const { answer, failure, asking, ask } = useAnswer<ShownTests>('/api/policies/tests')
  const again = (
    <button type="button" disabled={asking} onClick={ask}>
      Run them again
    </button>
  )
  if (failure) return <FailureNotice failure={failure}>{again}</FailureNotice>
  if (!answer) return <p role="status">Running the tests …</p>
  const { results, mistakes } = answer
  const failing = results.filter(({ passed }) => !passed)
  return (
    <section class="policy-tests">
      {mistakes.map(({ file, message }) => (
        <Notice tone="alarm" title="The tests could not be run">
          <p>
            <code>{visible(file)}</code>: {visible(message)}
          </p>
        </Notice>
      ))}
      <div class="policy-tests-head">
        <p role="status">{summary(results, failing)}</p>
        {again}
      </div>
      <ul>
        {[...failing, ...results.filter(({ passed }) => passed)].map((test) => (
          <Test key={`${test.file}:${test.line}`} {...test} />
        ))}
      </ul>
    </section>
  )
}

function summary(results: readonly ShownTest[], failing: readonly ShownTest[]): string {
  if (results.length === 0)
    return 'There are no tests. Write them beside the policies, in *.test.yaml.'
  if (failing.length === 0) return `${count(results.length, 'test')}, and all pass.`
  return `${failing.length} of ${count(results.length, 'test')} do not come out as they say.`
}

function Test({ file, line, name, passed, differences }: ShownTest) {
  return (
    <li class={passed ? 'passed' : 'failing'}>
      <strong>{passed ? 'Passes' : 'Fails'}</strong> <span>{visible(name)}</span>{' '}
      <code class="fine">
        {visible(file.split('/').at(-1)!)}:{line}
      </code>
      {differences.length > 0 && (
        <ul>
          {differences.map((difference) => (
            <li>{visible(difference)}</li>
          ))}
        </ul>
      )}
    </li>
  )
}
