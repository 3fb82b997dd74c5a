import { z } from 'zod'
import { isLoopback } from '../core/loopback.ts'
import { Refusal } from './errors.ts'
import { findProfile } from './profile.ts'
import { fresh } from './refresh.ts'
import type { Terminal } from './terminal.ts'
import { version } from '../core/version.ts'
import { visible } from '../core/visible.ts'

/**
 * The control plane's API, used as the person of the profile. Every method throws a `Refusal` when
 * the API refuses or does not answer.
 */
export interface ControlPlane {
  readonly url: string
  /** The person's token. It expires; see `fresh`. */
  readonly token: string
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>
  post<Schema extends z.ZodType>(
    path: string,
    body: object,
    schema: Schema,
  ): Promise<z.output<Schema>>
  /** The answer, whose body comes as it arrives; to a POST, where there is something to send. */
  open(path: string, body?: object): Promise<Response>
}

export async function connect(terminal: Terminal): Promise<ControlPlane> {
  const stored = findProfile(terminal.environment, terminal.folder)
  const { url, token } = await fresh(stored)
  if (url.startsWith('http:') && !isLoopback(url))
    terminal.note(
      `Careful: ${new URL(url).host} is reached by http://, so others on the way can read your token.`,
    )
  const base = url.replace(/\/+$/, '')

  async function request(method: string, path: string, body?: object): Promise<Response> {
    const response = await reach(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'user-agent': `sallyport-cli/${version}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      // A redirect would carry the token to another address.
      redirect: 'error',
      signal: terminal.interrupted,
    })
    if (response.ok) return response
    const refusal = await refusalOf(response)
    if (response.status !== 401) throw refusal
    const source = stored.file ?? 'SALLYPORT_TOKEN'
    throw new Refusal(
      `${refusal.message}\n    → The token is that of ${source}. Run \`sallyport login ${base}\` for a new one.`,
      refusal.details,
    )
  }

  return {
    url: base,
    token,
    get: async (path, schema) => understand(await request('GET', path), schema),
    post: async (path, body, schema) => understand(await request('POST', path, body), schema),
    open: (path, body) => request(body ? 'POST' : 'GET', path, body),
  }
}

/** Fetches. A connection that cannot be made is a refusal that names the address. */
export async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted) throw new Refusal('Interrupted.', {}, { cause })
    const { origin } = new URL(url)
    const { code, message } = (cause as { cause?: Partial<NodeJS.ErrnoException> }).cause ?? {}
    const why = code ?? message ?? 'no answer'
    const said = `The control plane at ${origin} cannot be reached (${why}).`
    throw new Refusal(
      `${said}\n    → Is that where its console is, and is it running?`,
      {},
      { cause },
    )
  }
}

/** The answer, checked: a proxy's login page, say, is not taken for data. */
export async function understand<Schema extends z.ZodType>(
  response: Response,
  schema: Schema,
): Promise<z.output<Schema>> {
  // What is no JSON fails the check below, which says what was wrong.
  const body: unknown = await response.json().catch(() => undefined)
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Refusal(
    `The answer of ${new URL(response.url).origin} is not understood (${issue.path.join('.')}: ${issue.message}). Are both of one version?`,
  )
}

const problem = z.looseObject({ type: z.string(), title: z.string(), detail: z.string() })

export async function refusalOf(response: Response): Promise<Refusal> {
  // What is no JSON fails the check below, which says what was wrong.
  const body: unknown = await response.json().catch(() => undefined)
  const result = problem.safeParse(body)
  if (!result.success) return new Refusal(`${response.status} ${visible(response.statusText)}`)
  const { type, detail } = result.data
  const code = type.split('/').at(-1)!
  const members = JSON.parse(JSON.stringify(result.data)) as Record<string, string>
  return new Refusal(`${visible(code)}: ${visible(detail)}`, members)
}
