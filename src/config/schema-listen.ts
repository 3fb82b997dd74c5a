import { z } from 'zod'
import { byteSize, duration } from './duration.ts'
import { address, httpUrl, tlsFiles, tlsFilesOfAgents } from './schema-parts.ts'

const tls = tlsFiles
  .optional()
  .describe('speak https; both files are read again when they change. Left out, it is http')

const tlsOfAgents = tlsFilesOfAgents
  .optional()
  .describe('speak https; all files are read again when they change. Left out, it is http')

const addressOrRange = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])

export const listen = z
  .strictObject({
    agents: z
      .strictObject({
        address: address.prefault('127.0.0.1:8080'),
        public_url: httpUrl
          .optional()
          .describe(
            'how agents reach it, if that is not what they write into Host: proofs of possession (DPoP) are made for this address, and Link headers name it',
          ),
        dpop_nonces: z
          .boolean()
          .prefault(false)
          .describe(
            'proofs of possession (DPoP) have to contain a nonce that this gateway gave within the last minutes, so that none can be made in advance; clients ask for one by a request that is refused',
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
