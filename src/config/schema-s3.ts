import { z } from 'zod'
import { duration } from './duration.ts'
import { ca, httpUrl, secretText } from './schema-parts.ts'

/** Object storage with the S3 API. */
export const s3 = z
  .strictObject({
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'Write the name of a bucket.')
      .describe('name of the bucket'),
    region: z
      .string()
      .regex(/^[a-z0-9-]+$/, 'Write a region, as in: eu-central-1')
      .describe('region that requests are signed for'),
    endpoint: httpUrl
      .optional()
      .describe('where the service is, if it is not that of AWS in this region'),
    path_style: z
      .boolean()
      .prefault(false)
      .describe(
        'name the bucket in the path and not in the host, as many services of one’s own want it',
      ),
    prefix: z
      .string()
      .regex(
        /^([A-Za-z0-9_.-]+\/)*$/,
        'Write folders, each with a slash behind it, as in: prod/audit/',
      )
      .refine((text) => !/(^|\/)\.{1,2}\//.test(text), 'Write folders without dot segments.')
      .prefault('')
      .describe('what names of objects begin with'),
    access_key_id: secretText
      .optional()
      .describe('of a user that may put objects there, and nothing else'),
    secret_access_key: secretText.optional().describe('its secret key'),
    session_token: secretText.optional().describe('of temporary credentials'),
    credentials_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'in the place of these three: a file with temporary credentials that something else renews, as JSON; it is read for each request',
      ),
    encryption: z
      .enum(['AES256', 'aws:kms', 'aws:kms:dsse'])
      .optional()
      .describe('encryption at rest to ask for; left out, that of the bucket'),
    kms_key: z.string().min(1).optional().describe('with aws:kms: id or ARN of the key'),
    object_lock: z
      .strictObject({
        mode: z
          .enum(['governance', 'compliance'])
          .describe('who may shorten it: some, with a special permission; or nobody at all'),
        retain: duration.describe('how long nobody may change or delete an object, as in: 2555d'),
      })
      .optional()
      .describe('write once: the bucket has to have Object Lock'),
    ca,
  })
  .refine(({ encryption, kms_key }) => kms_key === undefined || encryption?.startsWith('aws:kms'), {
    path: ['kms_key'],
    error: 'A key is for `encryption: aws:kms`.',
  })
  .refine(
    ({
      access_key_id: id,
      secret_access_key: key,
      session_token: token,
      credentials_file: file,
    }) =>
      file === undefined
        ? id !== undefined && key !== undefined
        : id === undefined && key === undefined && token === undefined,
    'Write access_key_id and secret_access_key, or credentials_file: one of them.',
  )
