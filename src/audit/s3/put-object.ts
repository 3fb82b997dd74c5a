import { AwsV4Signer } from 'aws4fetch'
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { S3Config } from '../../config/schema.ts'
import { sendOnce } from '../../core/send-once.ts'
import { credentialsOf } from './credentials.ts'
import { NotStored } from './not-stored.ts'

/** Bytes of an error answer that are read, enough for its code. */
const longestError = 4 * 1024

/**
 * Puts an object once (S3 API, PutObject), signed with AWS Signature Version 4, and with a checksum
 * by which the service refuses what was changed on the way. A second object of the same name
 * replaces it, or becomes another version. Rejects with `NotStored`, or with `NotSent` when there
 * is no answer.
 */
export async function putObject(
  config: S3Config,
  name: string,
  { body, type }: { readonly body: Buffer; readonly type: string },
  signal: AbortSignal,
): Promise<void> {
  const signed = await new AwsV4Signer({
    method: 'PUT',
    url: objectUrl(config, name).href,
    headers: {
      'content-type': type,
      'x-amz-content-sha256': hash('sha256', body),
      // Object Lock requires a named checksum.
      'x-amz-sdk-checksum-algorithm': 'SHA256',
      'x-amz-checksum-sha256': hash('sha256', body, 'base64'),
      ...encryptionOf(config),
      ...lockOf(config),
    },
    ...{ region: config.region, service: 's3', ...(await credentialsOf(config)) },
  }).sign()
  const ca = config.ca === undefined ? undefined : await readFile(config.ca)
  const headers = Object.fromEntries(signed.headers)
  const { status, beginning } = await sendOnce(
    { method: 'PUT', url: signed.url, headers, body, ca },
    signal,
    longestError,
  )
  if (status === 200) return
  // The code is a word of a fixed list. The rest of the answer could quote what was sent.
  const [, code] = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(beginning.toString('latin1')) ?? []
  throw new NotStored(`It answered with status ${status}${code ? ` (${code})` : ''}`)
}

/** The place of a configuration's objects, in words for people. */
export function placeOf({ endpoint, bucket, prefix }: S3Config): string {
  const at = endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`
  return `s3://${bucket}/${prefix}${at}`
}

/** The URL of an object. The bucket is in the host, unless the service wants it in the path. */
export function objectUrl(
  { endpoint, region, bucket, prefix, path_style }: S3Config,
  name: string,
): URL {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  const base = url.pathname.replace(/\/+$/, '')
  if (!path_style) url.hostname = `${bucket}.${url.hostname}`
  url.pathname = `${base}/${path_style ? `${bucket}/` : ''}${prefix}${name}`
  return url
}

function encryptionOf({ encryption, kms_key }: S3Config): Record<string, string> {
  return {
    ...(encryption && { 'x-amz-server-side-encryption': encryption }),
    ...(kms_key !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': kms_key }),
  }
}

function lockOf({ object_lock }: S3Config): Record<string, string> {
  if (!object_lock) return {}
  const until = new Date(Date.now() + object_lock.retain).toISOString()
  return {
    'x-amz-object-lock-mode': object_lock.mode.toUpperCase(),
    'x-amz-object-lock-retain-until-date': until,
  }
}
