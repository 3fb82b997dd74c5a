import { Command } from 'commander'
import { basename } from 'node:path'
import { z } from 'zod'
import { readPolicyFolder } from '../../../policy/load.ts'
import { connect } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { policySource, type PolicyOptions } from '../../policy-source.ts'
import type { Terminal } from '../../terminal.ts'
import { held, noteHeld } from '../../held.ts'

const active = z.object({ hash: z.string(), generation: z.number() })

export function proposePolicies(terminal: Terminal): Command {
  return new Command('propose')
    .description(
      'put the policies of a folder into force on all replicas, or ask whom a rule names',
    )
    .argument('[folder]', 'the policies; those of the configuration, if left out')
    .option('--config <file>', 'the configuration, for the folder of the policies')
    .option('--json', 'as JSON')
    .action(async (named: string | undefined, options: PolicyOptions & { json?: boolean }) => {
      const { folder } = policySource(terminal.folder, named, options)
      const { policies } = await readPolicyFolder(folder)
      const documents = policies.map(({ file, text }) => ({ file: basename(file), text }))
      const plane = await connect(terminal)
      const answer = await plane.post(
        '/api/policies/proposals',
        { documents },
        z.union([active, held.extend({ hash: z.string() })]),
      )
      if (options.json) return terminal.print(jsonText(answer, 2))
      if ('approval' in answer) return noteHeld(terminal, answer)
      terminal.note(`In force as generation ${answer.generation}, ${answer.hash}.`)
    })
}
