import { z } from 'zod'
import { duration } from './duration.ts'

const places = z.array(
  z
    .string()
    .regex(
      /^[a-z]+(:\S+)?$/,
      'Write a channel, as in: slack:#approvals, teams:approvals or webhook:siem',
    ),
)

const defaults = z
  .strictObject({
    to: places
      .prefault([])
      .describe('where approvals are announced, besides the console, whose rules name no channels'),
    remind: duration
      .optional()
      .describe('how long before an approval expires the same places are reminded'),
    escalate: z
      .strictObject({
        after: duration.describe('how long after the request'),
        to: places.min(1).describe('where'),
      })
      .optional()
      .describe('where else an approval is announced that nobody has decided by then'),
  })
  .prefault({})
  .describe('for rules that say nothing of it themselves')

const slack = z
  .strictObject({
    team: z
      .string()
      .regex(/^T[A-Z0-9]{2,}$/, 'Write the id of the workspace, as in: T0123456789')
      .describe('the workspace whose people may vote: nobody of another is listened to'),
    bot_token: z
      .string()
      .regex(/^xoxb-\S+$/, 'Write the bot token; it starts with xoxb-.')
      .describe('posts and edits messages'),
    app_token: z
      .string()
      .regex(/^xapp-\S+$/, 'Write the app-level token; it starts with xapp-.')
      .optional()
      .describe(
        'for Socket Mode: votes come over a connection that the gateway opens, with no address of its own',
      ),
    signing_secret: z
      .string()
      .regex(
        /^\S{16,}$/,
        'Write the signing secret of the app; an empty one would let anybody vote.',
      )
      .optional()
      .describe(
        'in the place of app_token: votes come as signed requests to /slack/events of the control plane',
      ),
    api_url: z
      .url({ protocol: /^https?$/, error: 'Write a URL that starts with https://.' })
      .prefault('https://slack.com/api/')
      .describe('another one for GovSlack: https://slack-gov.com/api/'),
  })
  .refine(
    ({ app_token, signing_secret }) => (app_token === undefined) !== (signing_secret === undefined),
    'Write app_token for Socket Mode, or signing_secret for HTTP: one of them.',
  )
  .optional()
  .describe('docs/slack.md sets it up')

const endpoint = z.url({ protocol: /^https?$/, error: 'Write a URL that starts with https://.' })

const teams = z
  .strictObject({
    tenant: z
      .uuid('Write the id of the directory (tenant): a UUID.')
      .toLowerCase()
      .describe('the directory whose people may vote: nobody of another is listened to'),
    app_id: z
      .uuid('Write the application (client) id of the bot: a UUID.')
      .toLowerCase()
      .describe('the bot; only what is meant for it is listened to'),
    client_secret: z
      .string()
      .regex(/^\S{16,}$/, 'Write the client secret of the bot’s app registration.')
      .describe('the bot proves with it who it is'),
    cloud: z
      .enum(['public', 'gcc', 'gcc-high', 'dod'])
      .prefault('public')
      .describe('where the tenant is: Microsoft’s public cloud, or one of the US government'),
    endpoints: z
      .strictObject({
        login: endpoint.optional().describe('where the bot gets its tokens'),
        metadata: endpoint
          .regex(/\/openidconfiguration$/, 'Write a URL that ends with /openidconfiguration.')
          .optional()
          .describe(
            'where the keys of Bot Framework tokens are announced; they are beside it, at /keys',
          ),
        service: endpoint
          .optional()
          .describe('where the bot says something; what comes from elsewhere is refused'),
      })
      .prefault({})
      .describe(
        'where Microsoft’s services are, if they are reached in another way than their cloud says',
      ),
  })
  .optional()
  .describe('docs/teams.md sets it up')

const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text

/** A secret as Standard Webhooks defines it. */
export const webhookSecret = z
  .string()
  .regex(
    /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/,
    'Write whsec_ and at least 24 random bytes in Base64, as from: echo "whsec_$(openssl rand -base64 32)"',
  )
  .refine((text) => isBase64(text.slice('whsec_'.length)), 'This is not valid Base64.')

const webhook = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'Write a URL that starts with https://.' })
    .describe('where approvals are sent; http:// only on this machine'),
  secret: webhookSecret.describe('what its messages are signed with'),
})

/** `channels`: how people learn of approvals outside of the console. */
export const channels = z
  .strictObject({
    default: defaults,
    slack,
    teams,
    webhooks: z
      .record(
        z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'Use lower-case letters, digits and dashes.'),
        webhook,
      )
      .prefault({})
      .describe('by name: `siem` is what rules call webhook:siem'),
  })
  .prefault({})
  .describe('where approvals are announced, and decided, besides the console')
