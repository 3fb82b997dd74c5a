import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MistakesError, type Mistake } from '../core/errors.ts'
import { compilePolicies, type CompiledPolicies } from './compile.ts'
import type { Known } from './known.ts'
import type { PolicyDocument } from './read-rules.ts'

/** What a folder of policies holds: rules in `*.yaml`, tests of them in `*.test.yaml`. */
export interface PolicyFolder {
  readonly policies: readonly PolicyDocument[]
  readonly tests: readonly PolicyDocument[]
}

/**
 * Reads and compiles the policies of a folder. Throws `MistakesError` with everything that is wrong
 * in any of its files.
 */
export async function loadPolicies(folder: string, known: Known): Promise<CompiledPolicies> {
  const { policies } = await readPolicyFolder(folder)
  return compilePolicies(policies, known)
}

/**
 * Throws `MistakesError` for a folder that is not there, that has no policies, or that has
 * something in it that looks as if it were one and would not be read.
 */
export async function readPolicyFolder(folder: string): Promise<PolicyFolder> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new MistakesError([folderMistake(folder, error)])
  })
  // Hidden entries are not ours: editors and mounted volumes keep copies in them.
  const visible = entries.filter(({ name }) => !name.startsWith('.')).toSorted(byName)
  const mistakes = visible.flatMap((entry) => unreadable(folder, entry))
  const names = visible.map(({ name }) => name).filter((name) => name.endsWith('.yaml'))
  if (names.length === 0) {
    const remedy = 'Without a rule everything is denied. Write one into a file *.yaml here.'
    mistakes.push({ file: folder, message: 'There is no policy here.', remedy })
  }
  if (mistakes.length > 0) throw new MistakesError(mistakes)
  const documents = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name)
      return { file, text: await readFile(file, 'utf8') }
    }),
  )
  return {
    policies: documents.filter(({ file }) => !isTest(file)),
    tests: documents.filter(({ file }) => isTest(file)),
  }
}

interface Entry {
  readonly name: string
  isDirectory(): boolean
}

function unreadable(folder: string, entry: Entry): readonly Mistake[] {
  const file = join(folder, entry.name)
  if (entry.isDirectory()) {
    const remedy = 'Put all policies into one folder.'
    return [{ file, message: 'Folders inside the folder of policies are not read.', remedy }]
  }
  if (entry.name.endsWith('.yml')) {
    return [{ file, message: 'Policies are files *.yaml.', remedy: 'Rename it to *.yaml.' }]
  }
  return []
}

function isTest(file: string): boolean {
  return file.endsWith('.test.yaml')
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : 1
}

function folderMistake(folder: string, error: unknown): Mistake {
  const reason = error instanceof Error ? error.message : String(error)
  const remedy = 'Create it, or set `policies` to the folder that has them.'
  return { file: folder, message: `The folder of policies cannot be read: ${reason}.`, remedy }
}
