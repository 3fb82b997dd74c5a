import { parseJson } from '../../../core/parse-json.ts'
import { Command } from 'commander'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { readLines } from '../../../audit/verify/lines.ts'
import type { ReplaySummary } from '../../../gate/replay.ts'
import { loadPolicies } from '../../../policy/load.ts'
import { age } from '../../age.ts'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { Refusal } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import { policySource, type PolicyOptions } from '../../policy-source.ts'
import { replayLine, showDifference, showReplay } from '../../show-replay.ts'
import type { Terminal } from '../../terminal.ts'

interface Options extends PolicyOptions {
  readonly since: number
  readonly policies?: string
  readonly json?: boolean
}

export function replayPolicies(terminal: Terminal): Command {
  return new Command('replay')
    .description('what the policies of a folder would have decided otherwise about what happened')
    .requiredOption('--since <time>', 'how far back, as in 7d or 12h', age)
    .option('--policies <folder>', 'the policies; those of the configuration, if left out')
    .option('--config <file>', 'the configuration, for the names of the resources')
    .option('--json', 'one JSON document a line, the last one with the sums')
    .action(async ({ since, policies, json, ...options }: Options) => {
      const { folder, known } = policySource(terminal.folder, policies, options)
      // Here, every mistake is in a file that has a place. The gateway may know other resources.
      const { documents } = await loadPolicies(folder, known)
      const files = documents.map(({ file, text }) => ({ file: basename(file), text }))
      const from = new Date(Date.now() - since).toISOString()
      const plane = await connect(terminal)
      const summary = await show(terminal, plane, { from, documents: files }, folder, json)
      if (summary.different > 0)
        throw new Refusal('These policies decide otherwise than what is on record.')
    })
}

async function show(
  terminal: Terminal,
  plane: ControlPlane,
  asked: object,
  folder: string,
  json = false,
): Promise<ReplaySummary> {
  const { body } = await plane.open('/api/policies/replay', asked)
  for await (const text of untilCutOff(Readable.fromWeb(body as ReadableStream))) {
    const line = replayLine.parse(parseJson(text))
    if ('progress' in line) continue
    if (json) terminal.print(jsonText(line))
    else if ('difference' in line) terminal.print(`${showDifference(line.difference, folder)}\n`)
    else terminal.print(showReplay(line.summary))
    if ('summary' in line) return line.summary
  }
  throw cutOff()
}

async function* untilCutOff(body: Readable): AsyncGenerator<string> {
  try {
    yield* readLines(body)
  } catch (cause) {
    throw cutOff(cause)
  }
}

/** Closed: actions that were not replayed may be decided differently. */
function cutOff(cause?: unknown): Refusal {
  return new Refusal('The replay was cut off before its end.', {}, { cause })
}
