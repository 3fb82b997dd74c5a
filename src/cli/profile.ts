import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Environment } from '../config/environment.ts'
import { readPrivateFile, replacePrivateFile } from '../config/private-file.ts'
import { UsageError } from './errors.ts'

const profileFile = z.strictObject({
  /** Of the control plane. */
  url: z.url(),
  token: z.string().min(1),
  /** ISO 8601; `null` for a token whose end is not known. */
  expires_at: z.iso.datetime().nullable().default(null),
  /** How to get the next token, if there is a way. */
  refresh: z
    .strictObject({ issuer: z.url(), client_id: z.string(), refresh_token: z.string() })
    .nullable()
    .default(null),
})

/** Where the control plane is, and as whom the CLI speaks to it. */
export type Profile = z.output<typeof profileFile>

export interface StoredProfile extends Profile {
  /** Where it was read from; `null` when it comes from the environment. */
  readonly file: string | null
}

/** The profile of this user: what `sallyport login` writes. */
export function userProfile({ XDG_CONFIG_HOME }: Environment): string {
  return join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'sallyport/profile.json')
}

/** The profile that `npm start` writes beside its data, for the demo alone. */
const quickstartProfile = (folder: string): string => join(folder, 'data/profile.json')

/**
 * SALLYPORT_URL and SALLYPORT_TOKEN, else the quickstart's profile in this folder, else the user's
 * own. Throws `UsageError` when there is none. A stored token goes to the address that it was
 * stored with, and to no other.
 */
export function findProfile(environment: Environment, folder: string): StoredProfile {
  const { SALLYPORT_URL: url, SALLYPORT_TOKEN: token } = environment
  if (url && !isAddress(url))
    throw new UsageError(
      `SALLYPORT_URL is no address: ${url}`,
      'Write the address of the console, as in https://sallyport.example.com.',
    )
  if (url && token) return { url, token, expires_at: null, refresh: null, file: null }
  const stored = readProfile(quickstartProfile(folder)) ?? readProfile(userProfile(environment))
  if (stored && !token && (!url || url === stored.url)) return stored
  if (stored && token) return { ...stored, token, expires_at: null, refresh: null, file: null }
  throw new UsageError(
    url ? `There is no token for ${url}.` : 'You are not logged in.',
    'Run `sallyport login URL` with the address of the console, or set SALLYPORT_URL and SALLYPORT_TOKEN.',
  )
}

/** `localhost:8081` is none: to a parser of URLs, its scheme is `localhost:`. */
export function isAddress(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url)
}

function readProfile(file: string): StoredProfile | undefined {
  const text = readPrivateFile(file)
  if (text === undefined) return undefined
  const result = profileFile.safeParse(parseJson(text))
  if (!result.success) {
    // Without the cause, which can quote the token.
    throw new UsageError(`${file} is damaged.`, 'Delete it, and run `sallyport login` again.')
  }
  return { ...result.data, file }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No profile either: whoever reads it says that it is damaged, without quoting it.
    return undefined
  }
}

export function writeProfile(file: string, profile: Profile): void {
  replacePrivateFile(file, `${JSON.stringify(profile, null, 2)}\n`)
}
