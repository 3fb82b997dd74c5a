import { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
import { held, noteHeld } from '../../held.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'
import { keySchema } from './list.ts'

export function revokeKey(terminal: Terminal): Command {
  return new Command('revoke')
    .description('end an agent key, at once')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const plane = await connect(terminal)
      const path = `/api/keys/${encodeURIComponent(id)}/revoke`
      const answer = await plane.post(path, {}, z.union([z.object({ key: keySchema }), held]))
      if ('approval' in answer) {
        if (json) return terminal.print(jsonText(answer, 2))
        return noteHeld(terminal, answer)
      }
      if (json) terminal.print(jsonText(answer.key, 2))
      else terminal.note(`The key ${answer.key.name} is revoked.`)
    })
}
