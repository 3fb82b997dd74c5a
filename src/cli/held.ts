import { z } from 'zod'
import type { Terminal } from './terminal.ts'

/** What the control plane answers where a rule holds what was asked for. */
export const held = z.object({ approval: z.string(), expires_at: z.string() })

export function noteHeld(terminal: Terminal, { approval, expires_at }: z.infer<typeof held>): void {
  terminal.note(
    `A rule holds this: it is done when people have approved ${approval}, until ${expires_at}.`,
  )
}
