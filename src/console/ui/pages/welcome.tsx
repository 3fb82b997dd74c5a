import { Mark } from '../parts/mark.tsx'
import { Notice } from '../parts/notice.tsx'
import { loginError } from '../state/login-error.ts'
import { rememberPlace } from '../state/return-to.ts'

/** For whoever is not logged in. */
export function Welcome() {
  const error = loginError(location.search)
  return (
    <main class="welcome">
      <Mark />
      <h1>Sallyport</h1>
      <p>What AI agents want to do, and may not do by themselves, waits here for people.</p>
      {error !== null && (
        <Notice tone="bad" title="You are not logged in">
          <p>{error}</p>
        </Notice>
      )}
      <a class="button" href="/login" onClick={rememberPlace}>
        Log in
      </a>
      <p class="fine">With your organization’s account.</p>
    </main>
  )
}
