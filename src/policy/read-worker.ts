import { parentPort, workerData } from 'node:worker_threads'
import { MistakesError, type Mistake } from '../core/errors.ts'
import type { Place } from '../core/yaml.ts'
import { compileRead } from './compile.ts'
import type { Known } from './known.ts'
import { readRules, type PolicyDocument, type ReadFile, type ReadRule } from './read-rules.ts'
import type { RuleSource } from './schema.ts'

export interface ReadRequest {
  readonly documents: readonly PolicyDocument[]
  readonly known: Known
}

/** What can be sent to another thread of a file without a mistake. */
export interface PlainFile {
  readonly file: string
  readonly rules: readonly (Pick<ReadRule, 'path' | 'written'> & {
    readonly keys: RuleSource
  } & Place)[]
}

export type ReadAnswer =
  { readonly files: readonly PlainFile[] } | { readonly mistakes: readonly Mistake[] }

parentPort!.postMessage(answer(workerData as ReadRequest), [])

/**
 * Compiles everything here too: what is wrong is found and told where the places of the texts are
 * known.
 */
function answer({ documents, known }: ReadRequest): ReadAnswer {
  const files = documents.map(readRules)
  try {
    const steps = compileRead(documents, files, known)
    while (!steps.next().done);
  } catch (error) {
    if (error instanceof MistakesError) return { mistakes: error.mistakes }
    throw error
  }
  return { files: files.map((file, index) => plain(documents[index]!.file, file)) }
}

function plain(file: string, { rules }: ReadFile): PlainFile {
  return {
    file,
    rules: rules.map(({ yaml, path, written, source }) => ({
      ...{ path, written, keys: source! },
      ...yaml.place(path),
    })),
  }
}
