import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { S3Config } from '../../config/schema.ts'
import { parseJson } from '../../core/parse-json.ts'
import { NotStored } from './not-stored.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Only for temporary credentials. */
  readonly sessionToken?: string
}

/** Restricted, because each becomes part of a header. */
const visibleText = z.string().regex(/^[!-~]{1,8192}$/)

/**
 * What a `credential_process` of the AWS command line prints. Whether they have expired is for the
 * service to say.
 */
const credentialsFile = z.looseObject({
  AccessKeyId: visibleText,
  SecretAccessKey: visibleText,
  SessionToken: visibleText.optional(),
})

/**
 * The current credentials of a configuration. A file is read each time, because somebody else
 * renews it. Rejects with `NotStored`, which reveals nothing of it.
 */
export async function credentialsOf({
  access_key_id: accessKeyId,
  secret_access_key: secretAccessKey,
  session_token: sessionToken,
  credentials_file: file,
}: S3Config): Promise<Credentials> {
  const given = sessionToken === undefined ? {} : { sessionToken }
  // The schema requires both where there is no file.
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
    // Without the cause, which quotes the content. Somebody may be writing the file, so it is tried
    // again.
    throw new NotStored(
      `Its credentials are not as they have to be: ${file} is no JSON with AccessKeyId and SecretAccessKey`,
    )
  }
}
