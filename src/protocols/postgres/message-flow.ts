import type { Expected } from './expected.ts'

// PostgreSQL documentation, "Message Flow".

const ends: Readonly<Record<Expected['kind'], string>> = {
  parse: '1',
  bind: '2',
  close: '3',
  describe: 'Tn',
  execute: 'CIs',
  query: 'Z',
  sync: 'Z',
}

/** Whether a message of this type ends the answer to a question of that kind. */
export function endsAnswer(kind: Expected['kind'], type: string): boolean {
  return ends[kind].includes(type)
}

/** Whether a message of this type can come before the last one of an answer. */
export function isPartOfAnswer(kind: Expected['kind'], type: string): boolean {
  switch (kind) {
    case 'query':
      return 'TDCIGHdcV'.includes(type)
    case 'execute':
      return 'DGHdc'.includes(type)
    case 'describe':
      return type === 't'
    default:
      return false
  }
}
