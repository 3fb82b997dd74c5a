import { z } from 'zod'
import { byteSize, duration } from './duration.ts'
import { audit } from './schema-audit.ts'
import { channels } from './schema-channels.ts'
import { datasets } from './schema-datasets.ts'
import {
  identity,
  type certificate,
  type introspection,
  type issuer,
  type login,
  type transmitter,
} from './schema-identity.ts'
import { listen } from './schema-listen.ts'
import { httpUrl, mode, secretText, type tlsFilesOfAgents } from './schema-parts.ts'
import { httpResource, postgresResource } from './schema-resources.ts'

/**
 * `sallyport.yaml`. This schema, with its parts beside it, is the manual: every key says what it
 * does and what its unit is, and `schema/sallyport.json` is generated from it for editors.
 */

const hold = z
  .strictObject({
    max_body: byteSize
      .prefault('1MiB')
      .describe('largest body of an action that is held or inspected'),
    max_per_subject: z
      .int()
      .min(1)
      .prefault(20)
      .describe(
        'open approvals one subject may have at a time; ten times as many of its requests may wait for them on one replica',
      ),
    max_response: byteSize
      .prefault('10MiB')
      .describe(
        'largest response that is kept for a request with `Prefer: respond-async`; of a larger one, only the outcome is known',
      ),
    keep_response: duration
      .prefault('24h')
      .describe('how long such a response is kept for its agent to fetch it'),
    max_per_hour: z
      .int()
      .min(1)
      .prefault(1000)
      .describe('approvals one subject may ask for within an hour, whatever becomes of them'),
    on_disconnect: z
      .enum(['detach', 'cancel'])
      .prefault('detach')
      .describe(
        'when the client goes away while held: keep the task until the request is sent again, or cancel it',
      ),
    in_transaction_max: duration
      .prefault('60s')
      .describe(
        'how long a statement inside of a database transaction is held: the transaction keeps its locks meanwhile',
      ),
  })
  .prefault({})

export const configSchema = z.strictObject({
  listen,
  store: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'Write a postgres:// URL.')
        .describe('postgres://user:password@host:port/database'),
    })
    .optional()
    .describe(
      'PostgreSQL 15 or later; left out, the store is embedded in the data folder, for trying out',
    ),
  data: z.string().prefault('./data').describe('folder of the embedded store'),
  secrets: z
    .strictObject({
      file: z
        .string()
        .prefault('./secrets.json')
        .describe('the file; readable for the user of the gateway alone'),
    })
    .prefault({})
    .describe('signing, sealing and cookie keys; created on first start'),
  identity,
  resources: z
    .array(z.discriminatedUnion('protocol', [httpResource, postgresResource]))
    .min(1, 'Name at least one resource.')
    .describe('what is behind the gateway'),
  datasets,
  policies: z.string().prefault('./policies').describe('folder of policy files'),
  mode: mode
    .prefault('enforce')
    .describe(
      '`observe` decides and records, and holds and denies nothing: for adoption; `sallyport policy report` says what enforcing would have done',
    ),
  hold,
  channels,
  audit,
  metrics: z
    .strictObject({
      token: z
        .string()
        .min(16, 'Write at least 16 characters, or ${NAME} to take them from the environment.')
        .optional()
        .describe(
          'what a scraper of /metrics presents as its bearer token; left out, only this machine may read them, and nobody where there is a public_url',
        ),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      traces: z
        .strictObject({
          endpoint: httpUrl.describe(
            'where spans are posted to, as OTLP over HTTP in JSON: http://collector:4318/v1/traces',
          ),
          headers: z
            .record(z.string(), secretText)
            .prefault({})
            .describe('headers of these requests, such as a key that the collector wants'),
        })
        .optional()
        .describe('export a span for each action; left out, there are none'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .prefault('info')
        .describe('the least severe lines that are written, to standard output, as JSON'),
    })
    .prefault({}),
})

export type Config = z.output<typeof configSchema>
export type ListenerConfig = Pick<Config['listen']['control'], 'address' | 'tls'>
export type TlsConfig = z.output<typeof tlsFilesOfAgents>
export type Dataset = Config['datasets'][number]
export type HttpResource = z.output<typeof httpResource>
export type PostgresResource = z.output<typeof postgresResource>
export type Resource = HttpResource | PostgresResource
export type CertificateConfig = z.output<typeof certificate>
export type IntrospectionConfig = z.output<typeof introspection>
export type TransmitterConfig = z.output<typeof transmitter>
export type IssuerConfig = z.output<typeof issuer>
export type LoginConfig = z.output<typeof login>

export function isHttp(resource: Resource): resource is HttpResource {
  return resource.protocol === 'http'
}

export function isPostgres(resource: Resource): resource is PostgresResource {
  return resource.protocol === 'postgres'
}
export type SlackConfig = NonNullable<Config['channels']['slack']>
export type TeamsConfig = NonNullable<Config['channels']['teams']>
export type WebhookConfig = Config['channels']['webhooks'][string]
export type AnchorConfig = Config['audit']['anchor'][number]
export type AuditDeliveryConfig = Config['audit']['deliveries'][string]
export type S3Config = NonNullable<AuditDeliveryConfig['s3']>
