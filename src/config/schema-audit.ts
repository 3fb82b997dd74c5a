import { z } from 'zod'
import { duration } from './duration.ts'
import { webhookSecret } from './schema-channels.ts'
import { ca, httpUrl, name, portOfVariable } from './schema-parts.ts'
import { retention } from './schema-retention.ts'
import { s3 } from './schema-s3.ts'

const witness = z
  .strictObject({
    url: httpUrl.describe('what comes before /add-checkpoint (C2SP tlog-witness)'),
    key: z
      .string()
      .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, 'Write its verifier key: name+id+base64.')
      .describe('its verifier key, for Ed25519 cosignatures (C2SP tlog-cosignature)'),
  })
  .optional()
  .describe('cosigns each checkpoint before it is kept, and only where it continues those before')

const anchor = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'file to whose end signed checkpoints of the audit log are added, which shows later that it was not rewritten: on a disk that administrators of the database do not reach. Its folder has to be there',
      ),
    s3: s3
      .optional()
      .describe('in the place of a file: object storage, where each checkpoint becomes an object'),
    every: duration
      .prefault('1m')
      .describe('at most one checkpoint in this time, and only when there are new events'),
    witness,
  })
  .refine(
    ({ file, s3 }) => (file === undefined) !== (s3 === undefined),
    'Write file or s3: one of them.',
  )

const webhook = z.strictObject({
  url: httpUrl.describe('where events are sent; http:// only on this machine'),
  secret: webhookSecret.describe('what its messages are signed with (Standard Webhooks)'),
  ca,
})

const syslog = z
  .strictObject({
    host: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, 'Write a host name or an IP address.')
      .describe('host name or address of the collector'),
    port: z
      .union([z.int().min(1).max(65_535), portOfVariable], 'Write a port, from 1 to 65535.')
      .prefault(6514)
      .describe('port of the collector'),
    tls: z
      .enum(['verify-full', 'disable'])
      .prefault('verify-full')
      .describe('how the collector proves itself: by a certificate for its host; not at all'),
    ca,
    cert: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the certificate that the gateway proves itself with'),
    key: z.string().min(1).optional().describe('PEM file of its private key'),
  })
  .refine(
    ({ cert, key }) => (cert === undefined) === (key === undefined),
    'Write cert and key, or neither.',
  )

const places = ['folder', 's3', 'webhook', 'syslog'] as const

const delivery = z
  .strictObject({
    folder: z
      .string()
      .min(1)
      .optional()
      .describe(
        'a folder, which has to be there: each batch becomes a compressed file, with its manifest',
      ),
    s3: s3
      .optional()
      .describe('object storage: each batch becomes a compressed object, with its manifest'),
    webhook: webhook.optional().describe('an address that each batch is posted to'),
    syslog: syslog
      .optional()
      .describe('a collector of syslog (RFC 5424 over TLS or TCP): a message for each event'),
    format: z
      .enum(['ndjson', 'csv', 'ocsf', 'cef'])
      .prefault('ndjson')
      .describe('as in exports; `ndjson` is the one that verifies'),
    every: duration.prefault('60s').describe('how long an event waits for others, at most'),
    max_events: z
      .int()
      .min(1)
      .max(1_000_000)
      .prefault(10_000)
      .describe(
        'how many events end a batch earlier; so many bytes do, too, as docs/audit-export.md says',
      ),
    personal: z
      .boolean()
      .prefault(true)
      .describe('`false`: without what can be erased; verifies all the same'),
    from: z
      .enum(['beginning', 'now'])
      .prefault('beginning')
      .describe(
        'where a destination of a new name begins: with the first event of the log, or with the next',
      ),
  })
  .refine(
    (delivery) => places.filter((place) => delivery[place] !== undefined).length === 1,
    `Write one of ${places.join(', ')}.`,
  )

/** `audit`: where else the log is kept besides the database. */
export const audit = z
  .strictObject({
    anchor: z
      .array(anchor)
      .prefault([])
      .describe('where checkpoints of the audit log are kept, outside of the database'),
    deliveries: z
      .record(name, delivery)
      .prefault({})
      .describe('where the audit log itself is delivered to, as it grows, by name'),
    retention,
  })
  .prefault({})
