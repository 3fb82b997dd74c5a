import { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
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
      const { key } = await plane.post(path, {}, z.object({ key: keySchema }))
      if (json) terminal.print(jsonText(key, 2))
      else terminal.note(`The key ${key.name} is revoked.`)
    })
}
