import { z } from 'zod'

export const address = z
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

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'Use lower-case letters, digits and dashes.')

/** A port that comes from a variable, and so is text. */
export const portOfVariable = z
  .string()
  .regex(/^[1-9]\d{0,4}$/)
  .transform(Number)
  .refine((port) => port <= 65_535)

export const secretText = z
  .string()
  .min(1, 'Write the secret, or ${NAME} to take it from the environment.')

export const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'Write a URL that starts with https:// or http://.',
})

export const ca = z
  .string()
  .min(1)
  .optional()
  .describe('PEM file of the authority that signs its certificate, if it is a private one')

export const tlsFiles = z.strictObject({
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

/** The same for a listener whose clients can also prove who they are with certificates. */
export const tlsFilesOfAgents = tlsFiles.extend({
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

export const mode = z.enum(['enforce', 'observe'])
