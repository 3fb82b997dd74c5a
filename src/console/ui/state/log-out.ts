import { call } from '../api/call.ts'
import type { Me } from '../api/types.ts'

/** Ends the session here, and goes where it ends at the identity provider too. Throws `Failure`. */
export async function logOut({ csrf_token: csrf }: Me): Promise<void> {
  const { body } = await call<{ location: string }>('/logout', {
    method: 'POST',
    csrf,
    body: {},
  })
  location.assign(body.location)
}
