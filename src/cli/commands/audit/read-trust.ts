import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { manifestFile, type Trust } from '../../../audit/verify/signed-log.ts'
import { UsageError } from '../../errors.ts'
import type { Terminal } from '../../terminal.ts'
import { manifestName } from './manifest-name.ts'

export interface TrustOptions {
  readonly manifest?: string
  readonly key: readonly string[]
  readonly checkpoint?: string
}

type Manifest = Trust['manifest']

/**
 * What exports are held against: the manifest that is named, or those beside them, which become
 * one. `null` without any. Throws `UsageError` for what cannot be read, and where only some of them
 * have a manifest.
 */
export async function readTrust(
  terminal: Terminal,
  files: readonly string[],
  { manifest, key, checkpoint }: TrustOptions,
): Promise<Trust | null> {
  const read = (name: string) => readFile(resolve(terminal.folder, name), 'utf8')
  const named = (name: string, what: string) =>
    read(name).catch((cause: NodeJS.ErrnoException) => unreadable(name, what, cause))
  const beside = (name: string) =>
    read(name).catch((cause: NodeJS.ErrnoException) =>
      // Closed: a manifest that exists but cannot be read might say that something was cut off.
      cause.code === 'ENOENT' ? null : unreadable(name, 'a manifest', cause),
    )
  const names = manifest ? [manifest] : files.map(manifestName)
  const texts = manifest
    ? [await named(manifest, 'a manifest')]
    : await Promise.all(names.map(beside))
  if (texts.every((text) => text === null) && key.length === 0 && !checkpoint) return null
  const manifests = texts.map((text, i) => {
    if (text !== null) return parseManifest(names[i]!, text)
    throw new UsageError(
      `${names[i]} is not there.`,
      'Name the manifest of the export with --manifest.',
    )
  })
  const keys = await Promise.all(
    key.map(async (one) => (one.includes('+') ? [one] : (await named(one, 'a key')).split(/\s+/))),
  )
  return {
    manifest: asOne(names, manifests),
    keys: keys.flat().filter((one) => one !== ''),
    older: checkpoint ? await named(checkpoint, 'a checkpoint') : null,
  }
}

/**
 * Exports that follow each other begin where the first one does, and their end is what the last one
 * was signed with. Where they do not follow, the lines say so. Records of what is kept elsewhere
 * are proven against the checkpoint that they came with, and so stay with their export.
 */
function asOne(names: readonly string[], manifests: readonly Manifest[]): Manifest {
  const apart = manifests.findIndex((it, i) => it.retained && i < manifests.length - 1)
  if (apart !== -1)
    throw new UsageError(
      `${names[apart]} has events that are kept elsewhere, and cannot be read as one with others.`,
      'Verify it by itself.',
    )
  const { first, before } = manifests[0]!
  return { ...manifests.at(-1)!, first, before }
}

function unreadable(name: string, what: string, { code }: NodeJS.ErrnoException): never {
  throw new UsageError(`${name} cannot be read (${code}).`, `Name ${what}.`)
}

function parseManifest(name: string, text: string): Manifest {
  try {
    return manifestFile.parse(JSON.parse(text))
  } catch {
    // What exactly is wrong does not matter, because nobody writes a manifest by hand.
    throw new UsageError(`${name} is no manifest of an export.`, 'Export it again.')
  }
}
