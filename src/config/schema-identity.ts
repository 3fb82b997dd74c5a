import { z } from 'zod'
import { duration } from './duration.ts'
import { httpUrl, secretText } from './schema-parts.ts'

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

export const introspection = z.strictObject({
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

export const issuer = z.strictObject({
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

export const login = z.strictObject({
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

export const transmitter = z.strictObject({
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

export const certificate = z
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

export const identity = z
  .strictObject({
    certificates: z
      .array(certificate)
      .prefault([])
      .describe(
        'whom client certificates stand for, if an authority of the listener (tls.client_ca) signed them; one that fits two entries stands for nobody',
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
