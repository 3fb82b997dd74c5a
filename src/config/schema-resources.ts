import { z } from 'zod'
import { duration } from './duration.ts'
import {
  address,
  httpUrl,
  mode,
  name,
  portOfVariable,
  secretText,
  tlsFilesOfAgents,
} from './schema-parts.ts'

export const httpResource = z.strictObject({
  name: name.describe('what policies and the audit log call it'),
  protocol: z.literal('http').describe('what agents speak with it'),
  match: z
    .union(
      [
        z.strictObject({
          prefix: z
            .string()
            .regex(
              /^\/[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/,
              'Write a path like /crm, without a slash at the end.',
            )
            .describe('requests below this path; it is taken off before forwarding'),
        }),
        z.strictObject({
          host: z
            .string()
            .regex(
              /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
              'Write a host name in lower case, without a port.',
            )
            .describe('requests with this Host'),
        }),
      ],
      'Write { prefix: /crm } or { host: crm.gateway.internal }.',
    )
    .describe('which requests are for this resource'),
  upstream: httpUrl.describe('where they go; a path here is put before theirs'),
  credential: z
    .strictObject({
      header: z.string().min(1).describe('such as Authorization or X-Api-Key'),
      value: secretText.describe('its whole value, such as Bearer ${CRM_TOKEN}'),
    })
    .optional()
    .describe(
      'header that is set on the way to the upstream; agents never see it, and what they send in it is dropped',
    ),
  ca: z
    .string()
    .optional()
    .describe(
      'PEM file of the authority that signs the certificate of the upstream, if it is a private one',
    ),
  read: z
    .array(
      z
        .string()
        .regex(/^[A-Z]+ \/\S*$/, 'Write a method and a path, as in: GET /v1/**')
        .describe('method and path glob'),
    )
    .prefault([])
    .describe('routes that are proven reads; any other method or route has an effect'),
  volatile_headers: z
    .array(z.string())
    .prefault([])
    .describe(
      'more headers that are left out of the digest, and are not forwarded with a held action',
    ),
  secret_parameters: z
    .array(
      z
        .string()
        .regex(/[A-Za-z0-9]/, 'Write the name of a parameter, such as api_key or *_token.')
        .describe('name of a parameter, in which `*` stands for anything'),
    )
    .optional()
    .describe(
      'parameters of the query whose values are neither recorded nor shown, and which no rule can read; case, dashes and underscores make no difference; left out, the usual names of API keys, tokens, passwords and signatures',
    ),
  timeout: duration.prefault('60s').describe('how long the upstream may be silent before 504'),
  usage: z
    .enum(['openai', 'anthropic'])
    .optional()
    .describe(
      'the upstream answers as this provider of models does: count the tokens that its answers tell of, by model. Of codings, only gzip and deflate are asked for then',
    ),
  websockets: z
    .boolean()
    .prefault(false)
    .describe(
      'pass WebSocket openings on; a rule decides about the opening, and nothing looks at what is said afterwards',
    ),
  mode: mode.optional().describe('for this resource alone; that of the gateway, if left out'),
})

export const postgresResource = z.strictObject({
  name: name.describe('what policies and the audit log call it'),
  protocol: z.literal('postgres').describe('what agents speak with it'),
  listen: address,
  tls: tlsFilesOfAgents
    .optional()
    .describe(
      'speak TLS; all files are read again when they change. Left out, the listener has to be `trusted`',
    ),
  trusted: z
    .boolean()
    .prefault(false)
    .describe(
      'take tokens without TLS too: only where nobody can listen in, such as on a loopback address or inside a pod',
    ),
  upstream: z
    .strictObject({
      host: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, 'Write a host name or an IP address.')
        .describe('host name or address of the server'),
      port: z
        .union([z.int().min(1).max(65_535), portOfVariable], 'Write a port, from 1 to 65535.')
        .prefault(5432)
        .describe('port of the server'),
      tls: z
        .enum(['verify-full', 'verify-ca', 'disable'])
        .prefault('verify-full')
        .describe(
          'how the server proves itself: by a certificate for its host; by one of the authority in `ca`, whatever its host; not at all',
        ),
      databases: z
        .array(z.string().min(1).max(63))
        .min(1, 'Name at least one database.')
        .describe('databases that agents may connect to'),
    })
    .describe('where statements go'),
  credential: z
    .strictObject({
      user: z.string().min(1).max(63).describe('role that the gateway logs in as'),
      password: secretText.describe('its password; agents never see it'),
    })
    .describe('how the gateway logs in to the server'),
  ca: z
    .string()
    .optional()
    .describe(
      'PEM file of the authority that signs the certificate of the upstream, if it is a private one',
    ),
  harmless: z
    .array(
      z
        .string()
        .regex(/^[^.]+\.[^.]+$/, 'Write a schema and a name, as in: public.slugify')
        .describe('schema and name'),
    )
    .prefault([])
    .describe(
      'functions, operators and types of your own that are known to have no effect; those of PostgreSQL are known already',
    ),
  wait: duration
    .prefault('10m')
    .describe('how long a held statement waits on its connection, outside of a transaction'),
  max_connections: z
    .int()
    .min(1)
    .prefault(200)
    .describe('connections in all that agents may have open here; each has one to the server'),
  max_connections_per_subject: z
    .int()
    .min(1)
    .prefault(50)
    .describe('connections that one subject may have open here'),
  mode: mode.optional().describe('for this resource alone; that of the gateway, if left out'),
})
