import type { S3Config } from '../../config/schema.ts'
import type { FormatName } from '../export/format.ts'
import { placeOf, putObject } from '../s3/put-object.ts'
import type { Destination } from './destination.ts'
import { documentOf, filesOf } from './document.ts'

/**
 * Object storage (S3 API). Each batch becomes an object, and its manifest another. An object
 * appears whole or not at all, and a repetition writes the same one again.
 */
export function objectDestination(s3: S3Config, format: FormatName): Destination {
  return {
    to: placeOf(s3),
    ...documentOf(format),
    async deliver(batch, signal) {
      for (const { name, ...object } of filesOf(batch, format))
        await putObject(s3, name, object, signal)
    },
  }
}
