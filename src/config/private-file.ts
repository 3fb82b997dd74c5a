import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { MistakesError } from '../core/errors.ts'

const ownership = 'Give the user that runs Sallyport a folder of its own, or name another file.'

/**
 * The text of a file that only its owner may read, or `undefined` when there is no file. Throws a
 * `MistakesError` when others can read it, when it belongs to somebody else, or when it cannot be
 * read.
 */
export function readPrivateFile(file: string): string | undefined {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw mistake(file, `The file cannot be opened (${codeOf(error)}).`, ownership)
  }
  try {
    // Asks about the open file rather than its path, which may lead to another file by now.
    const { mode, uid } = fstatSync(descriptor)
    if (process.getuid && uid !== process.getuid() && uid !== 0)
      throw mistake(file, 'The file holds secrets, and belongs to another user.', ownership)
    if (process.platform !== 'win32' && mode & 0o077)
      throw mistake(
        file,
        `The file holds secrets, and others can read it (mode ${(mode & 0o777).toString(8)}).`,
        `Take their access away: chmod 600 ${file}. If somebody may have read it, replace what is in it.`,
      )
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Creates a file (mode 0600) unless it exists. It is written completely before it gets its name, so
 * that no other process can read half of it. Of several processes the first wins, and the text of
 * the others is dropped.
 */
export function createPrivateFile(file: string, text: string): void {
  write(file, text, (draft) => {
    try {
      linkSync(draft, file)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    } finally {
      unlinkSync(draft)
    }
  })
}

/** Writes a file (mode 0600), and replaces one that exists. */
export function replacePrivateFile(file: string, text: string): void {
  write(file, text, (draft) => renameSync(draft, file))
}

function write(file: string, text: string, place: (draft: string) => void): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const descriptor = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } catch (error) {
      // Half of a secret is of no use, and nobody would look for it here.
      unlinkSync(draft)
      throw error
    } finally {
      closeSync(descriptor)
    }
    place(draft)
    syncFolder(dirname(file))
  } catch (error) {
    const remedy = codeOf(error) === 'ENOSPC' ? 'Make room on its disk.' : ownership
    throw mistake(file, `The file cannot be written (${codeOf(error)}).`, remedy)
  }
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder in order to sync it.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'

const mistake = (file: string, message: string, remedy: string) =>
  new MistakesError([{ file, message, remedy }])
