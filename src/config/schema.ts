import { z } from 'zod'
import { byteSize, duration } from './duration.ts'
import { channels } from './schema-channels.ts'

/**
 * `sallyport.yaml`. This schema is the manual: every key says what it does and what its unit is, and
 * `schema/sallyport.json` is generated from it for editors.
 */

const address = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/,
    'Write host:port, as in 0.0.0.0:8080. Port 0 takes any free one.',
  )
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    return {
      host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
      port: Number(text.slice(colon + 1)),
    }
  })
  .describe('host:port to listen on; port 0 takes any free one, and the real one is printed')

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'Use lower-case letters, digits and dashes.')

/** What a variable has put there: variables are text. */
const portOfVariable = z
  .string()
  .regex(/^[1-9]\d{0,4}$/)
  .transform(Number)
  .refine((port) => port <= 65_535)

const secretText = z
  .string()
  .min(1, 'Write the secret, or ${NAME} to take it from the environment.')

const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'Write a URL that starts with https:// or http://.',
})

const tlsFiles = z.strictObject({
  cert: z
    .string()
    .min(1)
    .describe(
      'PEM file: the certificate of this listener, and behind it those between it and an authority that clients know',
    ),
  key: z.string().min(1).describe('PEM file of its private key, without a passphrase'),
  min_version: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .prefault('TLSv1.2')
    .describe('oldest version that is spoken'),
})

const tls = tlsFiles
  .optional()
  .describe('speak https; both files are read again when they change. Left out, it is http')

/** TLS of a listener whose clients can prove themselves with certificates too. */
const tlsOfAgents = tlsFiles
  .extend({
    client_ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file: the authorities whose client certificates count; read again when it changes. identity.certificates says who they stand for',
      ),
    client_crl: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file: the lists of what these authorities have revoked, one of each; read again when it changes. A list that is out of date revokes everything',
      ),
    client_certificates: z
      .enum(['request', 'require'])
      .optional()
      .describe(
        'with client_ca: `request` (the default) lets clients without a certificate come with a token; `require` turns them away while keys are agreed on',
      ),
  })
  .optional()
  .describe('speak https; all files are read again when they change. Left out, it is http')

const addressOrRange = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])

const listen = z
  .strictObject({
    agents: z
      .strictObject({
        address: address.prefault('127.0.0.1:8080'),
        public_url: httpUrl
          .optional()
          .describe(
            'how agents reach it, if that is not what they write into Host: proofs of possession (DPoP) are made for this address',
          ),
        tls: tlsOfAgents,
        wait: duration
          .prefault('25s')
          .describe(
            'how long a held request waits when its client does not say so with Prefer: wait',
          ),
        max_wait: duration.prefault('600s').describe('the longest wait that a client may ask for'),
        drain: duration
          .prefault('20s')
          .describe(
            'how long requests that run may go on when the gateway is told to stop; what is left then is cut off',
          ),
        headers_timeout: duration
          .prefault('20s')
          .describe('how long a client may take from its connection to the end of the headers'),
        idle_timeout: duration
          .prefault('60s')
          .describe(
            'how long a connection is kept on which nothing runs; also, how long one is kept on which nobody has shown a valid credential',
          ),
        body_timeout: duration
          .prefault('30s')
          .describe('how long a client may be silent in the middle of a body'),
        min_body_rate: byteSize
          .prefault('500B')
          .describe(
            'bytes a second that a client has to send of a body while it is waited for, after the first body_timeout; 0B is any',
          ),
        max_connections: z
          .int()
          .min(1)
          .prefault(10_000)
          .describe('open connections in all; those beyond are closed at once'),
        max_connections_per_address: z
          .int()
          .min(1)
          .prefault(1_000)
          .describe(
            'of them, from one address, as long as nobody has shown a valid credential on them',
          ),
        max_connections_per_subject: z
          .int()
          .min(1)
          .prefault(1_000)
          .describe('open connections of one subject; a request on one more gets 403'),
      })
      .prefault({})
      .describe('where agents connect'),
    control: z
      .strictObject({
        address: address.prefault('127.0.0.1:8081'),
        tls,
        public_url: httpUrl
          .optional()
          .describe(
            'how people reach the control plane; needed behind a proxy. Cookies are Secure when it is https; left out, when the listener has TLS',
          ),
        trusted_proxies: z
          .array(
            z
              .string()
              .refine(
                (text) => addressOrRange.safeParse(text).success,
                'Write an IP address or a range, as in 10.0.0.0/8.',
              ),
          )
          .prefault([])
          .describe(
            'addresses of the proxies before it: from them alone X-Forwarded-For is believed, so that logins are limited by who makes them',
          ),
      })
      .prefault({})
      .describe('console and API for people; never on the listener that agents use'),
  })
  .prefault({})

const claims = z
  .strictObject({
    groups: z.string().prefault('groups').describe('claim that lists the groups'),
    owner: z
      .string()
      .optional()
      .describe(
        'claim that names the human owner: the `sub`, e-mail address or preferred_username of a person',
      ),
    kind: z
      .string()
      .optional()
      .describe('claim that says `human`, `agent` or `service`; without it, tokens are agents'),
  })
  .prefault({})
  .describe('which claims of this issuer mean what')

const introspection = z.strictObject({
  tokens: z
    .enum(['opaque', 'jwt', 'all'])
    .describe(
      'which tokens it is asked about: those that are no JWTs, its JWTs besides checking them here, or both; only one issuer can have the opaque ones',
    ),
  client_id: z.string().min(1).describe('client of this gateway at the issuer'),
  client_secret: secretText.describe('its secret'),
  cache: duration
    .prefault('5s')
    .describe(
      'how long an answer is believed, and so how long a token works that was revoked; at most 60s',
    ),
})

const issuer = z.strictObject({
  issuer: httpUrl.describe(
    'exactly the `iss` of its tokens; its discovery document is read from there',
  ),
  audience: z
    .string()
    .min(1)
    .describe('`aud` that a token must carry; mandatory, so that tokens for others are refused'),
  algorithms: z
    .array(
      z.enum([
        'RS256',
        'RS384',
        'RS512',
        'PS256',
        'PS384',
        'PS512',
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
      ]),
    )
    .min(1)
    .prefault(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .describe('signature algorithms that are accepted; none, and nothing symmetric, never is'),
  max_skew: duration.prefault('30s').describe('how far its clock may be off; at most 5m'),
  introspection: introspection
    .optional()
    .describe('ask this issuer whether a token is worth something still (RFC 7662)'),
  claims,
})

const login = z.strictObject({
  issuer: httpUrl.describe('the identity provider that people log in to the console with'),
  client_id: z.string().min(1).describe('client of the console at the identity provider'),
  client_secret: secretText.optional().describe('left out for a public client'),
  cli_client_id: z
    .string()
    .min(1)
    .optional()
    .describe('public client with the device flow, for `sallyport login`'),
  scopes: z
    .string()
    .prefault('openid profile email')
    .describe('scopes that are asked for, separated by blanks'),
  groups_claim: z.string().prefault('groups').describe('claim of the login that lists the groups'),
  session: duration
    .prefault('8h')
    .describe('how long a login lasts, and so how old a group membership may be'),
})

const transmitter = z.strictObject({
  issuer: httpUrl.describe('exactly the `iss` of its events'),
  audience: z.string().min(1).describe('`aud` that an event must carry'),
  jwks_uri: httpUrl
    .optional()
    .describe(
      'where its public keys are; left out, its /.well-known/ssf-configuration says so (OpenID Shared Signals Framework 1.0)',
    ),
  about: z
    .array(httpUrl)
    .min(1)
    .describe('issuers whose tokens and logins its events end; it has no say about others'),
})

const role = z.strictObject({
  group: z.string().min(1).describe('members of this group have the role'),
})

const certificateMatches = ['spiffe', 'uri', 'dns', 'email', 'subject'] as const

const certificate = z
  .strictObject({
    spiffe: z
      .string()
      .regex(
        /^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._*-]+)+$/,
        'Write a SPIFFE id, as in spiffe://example.org/ns/agents/sa/refund-bot; * is one part of its path, and ** at the end any.',
      )
      .optional()
      .describe('SPIFFE id, or a glob of them; the id itself is the name of the subject'),
    uri: z.string().min(1).optional().describe('a URI in its subjectAltName, exactly'),
    dns: z.string().min(1).optional().describe('a DNS name in its subjectAltName, exactly'),
    email: z.string().min(1).optional().describe('an e-mail address in its subjectAltName'),
    subject: z
      .string()
      .min(1)
      .optional()
      .describe('its whole subject, as `openssl x509 -noout -subject -nameopt RFC2253` prints it'),
    name: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe('what policies and the audit log call it; only a SPIFFE id is a name by itself'),
    kind: z.enum(['agent', 'service']).prefault('agent').describe('what it stands for'),
    groups: z.array(z.string().min(1)).prefault([]).describe('groups that it is in'),
    owner: z
      .union(
        [
          z.strictObject({
            issuer: httpUrl.describe('issuer of the person'),
            subject: z.string().min(1).describe('their `sub` there, or e-mail address'),
          }),
          z.strictObject({ group: z.string().min(1).describe('everybody in this group') }),
        ],
        'Write { issuer: https://…, subject: … } or { group: … }.',
      )
      .optional()
      .describe(
        'who answers for it, and so never approves for it; without one it can be allowed or denied, never approved',
      ),
  })
  .refine(
    (entry) => certificateMatches.filter((key) => entry[key] !== undefined).length === 1,
    'Say which certificates these are, in one way: spiffe, uri, dns, email or subject.',
  )
  .refine((entry) => (entry.spiffe === undefined) === (entry.name !== undefined), {
    path: ['name'],
    error: 'Give it a name; with spiffe, leave the name out, because the id is the name.',
  })

const identity = z
  .strictObject({
    certificates: z
      .array(certificate)
      .prefault([])
      .describe(
        'whom client certificates stand for, if one of listen.agents.tls.client_ca signed them; one that fits two entries stands for nobody',
      ),
    issuers: z.array(issuer).prefault([]).describe('whose tokens agents and people may present'),
    login: login.optional(),
    events: z
      .array(transmitter)
      .prefault([])
      .describe(
        'who may tell, at POST /identity/events of the control plane, that a session was revoked or an account disabled (CAEP, RISC)',
      ),
    roles: z
      .strictObject({ approver: role.optional(), auditor: role.optional(), admin: role.optional() })
      .prefault({})
      .describe(
        'which groups open what: the inbox, the audit log, keys and settings. No role may approve its own action.',
      ),
  })
  .prefault({})

const mode = z.enum(['enforce', 'observe'])

const httpResource = z.strictObject({
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
  timeout: duration.prefault('60s').describe('how long the upstream may be silent before 504'),
  websockets: z
    .boolean()
    .prefault(false)
    .describe(
      'pass WebSocket openings on; a rule decides about the opening, and nothing looks at what is said afterwards',
    ),
  mode: mode.optional().describe('for this resource alone; that of the gateway, if left out'),
})

const postgresResource = z.strictObject({
  name: name.describe('what policies and the audit log call it'),
  protocol: z.literal('postgres').describe('what agents speak with it'),
  listen: address,
  tls: tlsFiles
    .optional()
    .describe(
      'speak TLS; both files are read again when they change. Left out, the listener has to be `trusted`',
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
  policies: z.string().prefault('./policies').describe('folder of policy files'),
  mode: mode
    .prefault('enforce')
    .describe(
      '`observe` decides and records, and holds and denies nothing: for adoption; `sallyport policy report` says what enforcing would have done',
    ),
  hold,
  channels,
  audit: z
    .strictObject({
      anchor: z
        .array(
          z.strictObject({
            file: z
              .string()
              .min(1)
              .describe(
                'file to whose end signed checkpoints of the audit log are added, which shows later that it was not rewritten: on a disk that administrators of the database do not reach. Its folder has to be there',
              ),
            every: duration
              .prefault('1m')
              .describe('at most one checkpoint in this time, and only when there are new events'),
            witness: z
              .strictObject({
                url: httpUrl.describe('what comes before /add-checkpoint (C2SP tlog-witness)'),
                key: z
                  .string()
                  .regex(
                    /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/,
                    'Write its verifier key: name+id+base64.',
                  )
                  .describe('its verifier key, for Ed25519 cosignatures (C2SP tlog-cosignature)'),
              })
              .optional()
              .describe(
                'cosigns each checkpoint before it goes into the file, and only where it continues those before',
              ),
          }),
        )
        .prefault([])
        .describe('where checkpoints of the audit log are kept, outside of the database'),
    })
    .prefault({}),
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
export type TlsConfig = NonNullable<z.output<typeof tlsOfAgents>>
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
