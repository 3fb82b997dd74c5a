import { open, type FileHandle } from 'node:fs/promises'
import type { S3Config } from '../../config/schema.ts'
import { fileName } from '../log/file-name.ts'
import { placeOf, putObject } from '../s3/put-object.ts'

/** A place where checkpoints are kept. */
export interface Keeper {
  /** The place, in words for people. */
  readonly place: string
  /** Resolves when the note of a log of `size` events is durable there. */
  keep(note: string, size: number): Promise<void>
}

/** Appends notes to a file, with an empty line between them. */
export function fileKeeper(file: string): Keeper {
  return {
    place: file,
    async keep(note) {
      const handle = await open(file, 'a', 0o600)
      try {
        const { size } = await handle.stat()
        // A part of a note that did not fit is cut off again.
        await append(handle, size === 0 ? note : `\n${note}`).catch(async (error: unknown) => {
          await handle.truncate(size)
          throw error
        })
      } finally {
        await handle.close()
      }
    },
  }
}

async function append(handle: FileHandle, text: string): Promise<void> {
  await handle.appendFile(text)
  await handle.sync()
}

/** Milliseconds that one request may take. */
const patience = 10_000

/** Writes each note as an object, named after the log and its size. */
export function objectKeeper(s3: S3Config): Keeper {
  return {
    place: placeOf(s3),
    async keep(note, size) {
      // The first line of a note is its origin (C2SP tlog-checkpoint).
      const origin = note.slice(0, note.indexOf('\n'))
      const name = `${fileName(origin, [size])}.checkpoint.txt`
      const object = { body: Buffer.from(note), type: 'text/plain; charset=utf-8' }
      await putObject(s3, name, object, AbortSignal.timeout(patience))
    },
  }
}
