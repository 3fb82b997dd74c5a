import { refusals, type RefusalReason } from '../../../identity/refusal.ts'

/** Why the login that this page comes back from was refused, in words; `null` if it was not. */
export function loginError(search: string): string | null {
  const reason = new URLSearchParams(search).get('login_error')
  if (reason === null) return null
  return Object.hasOwn(refusals, reason)
    ? refusals[reason as RefusalReason]
    : 'The login did not work. Try again.'
}
