import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { LoginConfig } from '../../config/schema.ts'
import { Problem } from '../../core/errors.ts'
import { createLogin, type Login } from '../../identity/login.ts'
import { rememberPerson, subjectOfPerson } from '../../identity/people.ts'
import { Refusal } from '../../identity/refusal.ts'
import { beginSession, endSession } from '../../identity/session.ts'
import { personOf } from '../caller.ts'
import type { Cookies } from '../cookies.ts'
import { keepAttempt, takeAttempt } from '../login-attempt.ts'
import type { ControlServer, ControlServerDeps } from '../context.ts'
import { inForce } from '../in-force.ts'

export interface LoginRoutesDeps extends ControlServerDeps {
  readonly cookies: Cookies
  /** The scheme, host and port that people see. */
  readonly origin: () => string
}

/** Logging in and out, with OpenID Connect. */
export async function loginRoutes(app: ControlServer, deps: LoginRoutesDeps): Promise<void> {
  const { cookies, identity, origin, store, recorder } = deps
  const current = inForce(
    () => identity.login,
    (config) => config && { config, login: createLogin(config) },
  )
  const loginInForce = () =>
    current() ?? notFound('Nobody can log in here: there is no identity.login.')
  const limited = { access: 'public', rateLimit: { max: 60, timeWindow: '1 minute' } } as const
  const callback = () => `${origin()}/login/callback`

  app.get('/login', { config: limited, schema: { hide: true } }, async (request, reply) => {
    // Somebody who used another name of this machine is sent to the one for which the cookie will
    // be set.
    if (deps.publicUrl === undefined && request.host !== new URL(origin()).host) {
      return reply.redirect(`${origin()}/login`)
    }
    try {
      const { url, attempt } = await loginInForce().login.start(callback())
      keepAttempt(reply, cookies, attempt)
      return await reply.redirect(url.href)
    } catch (error) {
      return refuse(deps, reply, error)
    }
  })

  app.get(
    '/login/callback',
    { config: limited, schema: { hide: true } },
    async (request, reply) => {
      const attempt = takeAttempt(request, reply, cookies)
      const before = request.cookies[cookies.session]
      const { config, login } = loginInForce()
      try {
        if (!attempt) throw new Refusal('login-expired')
        const arrived = new URL(request.url, origin())
        const { person, idToken } = await login.finish(arrived, attempt)
        const value = await store.tx(async (tx) => {
          const known = await rememberPerson(tx, person)
          // The browser's earlier session ends, and the new one gets a new random value.
          if (before !== undefined) await endSession(tx, before)
          const cookie = await beginSession(tx, known, { idToken, lifetime: config.session })
          await recorder.write(tx, { type: 'identity.login', subject: subjectOfPerson(known) })
          return cookie
        })
        recorder.linkWritten()
        reply.setCookie(cookies.session, value, {
          ...cookies.options,
          maxAge: Math.floor(config.session / 1000),
        })
        return await reply.redirect('/')
      } catch (error) {
        return refuse(deps, reply, error)
      }
    },
  )

  app.post(
    '/logout',
    {
      config: { access: 'person' },
      schema: {
        summary: 'Ends the session',
        response: {
          200: z.object({
            location: z.string().describe('where to go next, to log out at the identity provider'),
          }),
        },
      },
    },
    async (request, reply) => {
      const person = personOf(request)
      const value = request.cookies[cookies.session]
      if (value === undefined) throw new Problem('bad-request', 'Only a session can be ended.')
      const idToken = await store.tx(async (tx) => {
        const token = await endSession(tx, value)
        await recorder.write(tx, { type: 'identity.logout', subject: subjectOfPerson(person) })
        return token
      })
      recorder.linkWritten()
      reply.clearCookie(cookies.session, cookies.options)
      reply.clearCookie(cookies.csrf, cookies.options)
      return { location: await placeToGo(deps, loginInForce().login, idToken) }
    },
  )

  app.get(
    '/api/login/settings',
    {
      config: { access: 'public' },
      schema: {
        summary: 'What `sallyport login` needs to know',
        response: { 200: settings },
      },
    },
    async () => deviceSettings(loginInForce().config, identity),
  )
}

const settings = z.object({
  issuer: z.string(),
  client_id: z.string(),
  audience: z.string(),
  scope: z.string(),
})

function deviceSettings(
  { issuer, cli_client_id, scopes }: LoginConfig,
  identity: LoginRoutesDeps['identity'],
): z.output<typeof settings> {
  const audience = identity.issuers.find((one) => one.issuer === issuer)?.audience
  if (cli_client_id === undefined || audience === undefined) {
    notFound(
      'Logging in from a terminal needs identity.login.cli_client_id, and the login issuer among identity.issuers.',
    )
  }
  const scope = [...new Set([...scopes.split(' '), 'offline_access'])].join(' ')
  return { issuer, client_id: cli_client_id, audience, scope }
}

function notFound(detail: string): never {
  throw new Problem('not-found', detail)
}

/** Redirects to the console, which says what went wrong. Nobody is logged in. */
async function refuse(
  { recorder }: LoginRoutesDeps,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  if (!(error instanceof Refusal)) throw error
  await recorder.append({ type: 'identity.refused', reason: error.reason })
  return reply.redirect(`/?login_error=${error.reason}`)
}

async function placeToGo(
  { origin, log }: LoginRoutesDeps,
  login: Login,
  idToken: string | null,
): Promise<string> {
  if (idToken === null) return '/'
  try {
    return (await login.endSessionUrl(idToken, `${origin()}/`))?.href ?? '/'
  } catch (error) {
    // The session here has ended, even though the identity provider cannot be asked where to go
    // next.
    log.warn({ err: error }, 'the identity provider could not be asked how to log out')
    return '/'
  }
}
