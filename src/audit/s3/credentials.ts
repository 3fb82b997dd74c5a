import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { S3Config } from '../../config/schema.ts'
import { parseJson } from '../../core/parse-json.ts'
import { NotStored } from './not-stored.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary ones. */
  readonly sessionToken?: string
}

/** Each becomes part of a header. */
const visibleText = z.string().regex(/^[!-~]{1,8192}$/)

/**
 * What a `credential_process` of the AWS command line prints; when they expire is the service's to
 * say.
 */
const credentialsFile = z.looseObject({
  AccessKeyId: visibleText,
  SecretAccessKey: visibleText,
  SessionToken: visibleText.optional(),
})

/**
 * Those of a configuration as of now: a file is read anew each time, since others renew it. Rejects
 * with `NotStored`, which shows nothing of it.
 */
export async function credentialsOf({
  access_key_id: accessKeyId,
  secret_access_key: secretAccessKey,
  session_token: sessionToken,
  credentials_file: file,
}: S3Config): Promise<Credentials> {
  const given = sessionToken === undefined ? {} : { sessionToken }
  // The schema has both where there is no file.
  if (file === undefined)
    return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey!, ...given }
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new NotStored(`Its credentials cannot be read: ${file} (${cause.code})`, { cause })
  })
  const { AccessKeyId, SecretAccessKey, SessionToken } = parsed(text, file)
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(SessionToken !== undefined && { sessionToken: SessionToken }),
  }
}

function parsed(text: string, file: string): z.output<typeof credentialsFile> {
  try {
    return credentialsFile.parse(parseJson(text))
  } catch {
    // Without its cause, which quotes what is there. Whoever renews it may be writing: it is read
    // again.
    throw new NotStored(
      `Its credentials are not as they have to be: ${file} is no JSON with AccessKeyId and SecretAccessKey`,
    )
  }
}
