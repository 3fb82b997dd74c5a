import { z } from 'zod'
import {
  acceptOffer,
  linksOf,
  readOffer,
  unlink,
  type LinkDesk,
} from '../../identity/chat-links.ts'
import { personOf } from '../caller.ts'
import { instant } from '../openapi.ts'
import type { ControlServer } from '../context.ts'

const account = z.object({
  channel: z.string().describe('slack or teams'),
  tenant: z.string().describe('Slack team or Teams tenant'),
  member: z.string().describe('who in it'),
})
const named = account.extend({ name: z.string().describe('what the chat calls them') })

const offer = z.strictObject({
  code: z
    .string()
    .max(100)
    .describe(
      'the end of the link that was given in the chat, a dot, and the code that the chat shows beside it',
    ),
})

/**
 * Limits guessing of the code that a chat shows beside a link, by somebody who has got hold of the
 * link.
 */
const limited = { access: 'person', rateLimit: { max: 20, timeWindow: '1 minute' } } as const

/** Links an account in a chat to a person, who confirms it once, after logging in. */
export async function linkRoutes(app: ControlServer, desk: LinkDesk): Promise<void> {
  app.get(
    '/api/links',
    {
      config: { access: 'person' },
      schema: {
        summary: 'Your accounts in chats',
        response: { 200: z.object({ links: z.array(named.extend({ linked_at: instant })) }) },
      },
    },
    async (request) => {
      const links = await linksOf(desk.store, personOf(request))
      return {
        links: links.map(({ linkedAt, ...link }) => ({
          ...link,
          linked_at: linkedAt.toISOString(),
        })),
      }
    },
  )

  // POST, so that the code is in the body and not in a log or a browser's history.
  app.post(
    '/api/links/offer',
    {
      config: limited,
      schema: {
        summary: 'Which account a link from a chat would make yours',
        body: offer,
        response: { 200: named },
      },
    },
    async ({ body }) => readOffer(desk.store, body.code),
  )

  app.post(
    '/api/links',
    {
      config: limited,
      schema: {
        summary: 'Make that account yours: what it decides, you decide',
        body: offer,
        response: { 200: named },
      },
    },
    async (request) => acceptOffer(desk, personOf(request), request.body.code),
  )

  app.post(
    '/api/links/unlink',
    {
      config: { access: 'person' },
      schema: {
        summary: 'An account is no longer yours',
        body: z.strictObject(account.shape),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await unlink(desk, personOf(request), request.body)
      return reply.code(204).send(null)
    },
  )
}
