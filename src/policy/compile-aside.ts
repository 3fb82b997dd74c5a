import { once } from 'node:events'
import { setImmediate as otherWork } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { MistakesError } from '../core/errors.ts'
import type { YamlFile } from '../core/yaml.ts'
import { compilePolicies, compileRead, type CompiledPolicies } from './compile.ts'
import type { Known } from './known.ts'
import type { PolicyDocument, ReadFile } from './read-rules.ts'
import type { PlainFile, ReadAnswer, ReadRequest } from './read-worker.ts'

/**
 * Characters that are compiled at once: some hundred rules, which take less than a thread takes to
 * begin.
 */
const little = 64 * 1024
/** Milliseconds of compiling between which other work is done. */
const slice = 5

const program = new URL(
  import.meta.url.endsWith('.ts') ? './read-worker.ts' : './read-worker.js',
  import.meta.url,
)

/**
 * As `compilePolicies`, without holding up whatever else this process does: a thread of its own
 * reads and checks the files, and what has to be made of them here is made in slices. Rejects with
 * `MistakesError`.
 */
export async function compileAside(
  documents: readonly PolicyDocument[],
  known: Known,
): Promise<CompiledPolicies> {
  if (documents.reduce((sum, { text }) => sum + text.length, 0) <= little) {
    return compilePolicies(documents, known)
  }
  const files = await readAside({ documents, known })
  const steps = compileRead(documents, files, known)
  for (let begun = performance.now(); ;) {
    const { done, value } = steps.next()
    if (done) return value
    if (performance.now() - begun < slice) continue
    await otherWork()
    begun = performance.now()
  }
}

async function readAside(request: ReadRequest): Promise<ReadFile[]> {
  const worker = new Worker(program, { workerData: request })
  try {
    // Rejects when the thread fails: closed, the policies before stay in force.
    const [answer] = (await once(worker, 'message')) as [ReadAnswer]
    if ('mistakes' in answer) throw new MistakesError(answer.mistakes)
    return answer.files.map(revived)
  } finally {
    await worker.terminate()
  }
}

/** Nothing is wrong with it, so that no place is asked for but where each rule begins. */
function revived({ file, rules }: PlainFile): ReadFile {
  return {
    mistakes: [],
    rules: rules.map(({ line, column, ...rule }) => {
      const here = () => ({ line, column })
      const yaml: YamlFile = {
        ...{ file, value: undefined, mistakes: [] },
        ...{ place: here, placeWithin: here, keyPlace: here },
      }
      return { ...rule, yaml, source: rule.keys }
    }),
  }
}
