import { refreshTokenGrant } from 'openid-client'
import { discoverProvider } from '../identity/provider.ts'
import { Refusal } from './errors.ts'
import { writeProfile, type Profile, type StoredProfile } from './profile.ts'

/** Seconds of life that a token has to have left; less, and it could end on its way. */
const margin = 30

/**
 * The profile with a token that is still good. A new one is fetched, and stored, when the old one
 * ends and there is a way.
 */
export async function fresh(stored: StoredProfile): Promise<StoredProfile> {
  const { expires_at, refresh, file } = stored
  if (expires_at === null || Date.parse(expires_at) > Date.now() + margin * 1000) return stored
  const expired = 'Your login has expired. Run `sallyport login` again.'
  if (!refresh || !file) throw new Refusal(expired)
  try {
    const provider = await discoverProvider(refresh.issuer, { id: refresh.client_id })
    const tokens = await refreshTokenGrant(provider, refresh.refresh_token)
    const next: Profile = {
      url: stored.url,
      token: tokens.access_token,
      expires_at: expiry(tokens.expires_in),
      refresh: { ...refresh, refresh_token: tokens.refresh_token ?? refresh.refresh_token },
    }
    writeProfile(file, next)
    return { ...next, file }
  } catch (cause) {
    throw new Refusal(expired, {}, { cause })
  }
}

export function expiry(expiresIn: number | undefined): string | null {
  return expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000).toISOString()
}
