import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FormatName } from '../export/format.ts'
import { DeliveryFailure, type Destination } from './destination.ts'
import { documentOf, filesOf } from './document.ts'

/**
 * An existing folder. Each batch becomes a file, with its manifest beside it. A file gets its name
 * only when all of it is on the disk; a repeated batch replaces the equal one. The folder is never
 * created: if a disk is not mounted, the log must not end up below its mount point.
 */
export function folderDestination(folder: string, format: FormatName): Destination {
  return {
    to: folder,
    ...documentOf(format),
    async deliver(batch) {
      try {
        for (const { name, body } of filesOf(batch, format)) await replace(folder, name, body)
        await sync(folder)
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException
        throw code === undefined ? cause : new DeliveryFailure(wordsFor(code), { cause })
      }
    },
  }
}

async function replace(folder: string, name: string, body: Buffer): Promise<void> {
  await removeRemains(folder, name)
  // A name of its own, because an attempt that has overslept its turn may still be writing.
  const part = join(folder, `.${name}.${randomUUID()}.part`)
  try {
    await write(part, body)
    await rename(part, join(folder, name))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function write(file: string, body: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(body)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes what a killed attempt at the same file has left. */
async function removeRemains(folder: string, name: string): Promise<void> {
  for (const file of await readdir(folder))
    if (file.startsWith(`.${name}.`) && file.endsWith('.part')) await rm(join(folder, file))
}

/** Makes the names survive a loss of power, too. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function wordsFor(code: string): string {
  switch (code) {
    case 'ENOENT':
      return 'The folder is not there (ENOENT)'
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full (${code})`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `The folder cannot be written to (${code})`
    default:
      return `The file cannot be written (${code})`
  }
}
