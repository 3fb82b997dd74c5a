import type { Input } from '../input.ts'
import { either, type Condition, type Dimension, type Mode } from './condition.ts'

/**
 * `what.http.method`. An allow rule wants it exactly as it is sent: methods are case-sensitive (RFC
 * 9110 §9.1), but not every upstream knows. A hold or deny rule ignores case, and takes HEAD for
 * the GET that many upstreams run for it (RFC 9110 §9.3.2).
 */
export function method(methods: readonly string[], mode: Mode): Condition {
  return {
    key: 'what.http.method',
    wants: either(methods),
    test(input) {
      const names = namesOf(input, mode)
      if (names === null) return 'unknown'
      return names.some((name) => methods.includes(name)) ? 'yes' : 'no'
    },
    found: (input) => namesOf(input, 'everything')?.[0] ?? 'no method that is known',
    filings: [{ dimension: dimensions[mode], keys: methods }],
  }
}

function namesOf(input: Input, mode: Mode): readonly string[] | null {
  const sent = input.attribute('http', 'method')
  if (typeof sent !== 'string') return null
  if (mode === 'everything') return [sent]
  const name = sent.toUpperCase()
  return name === 'HEAD' ? ['HEAD', 'GET'] : [name]
}

const dimensions: Record<Mode, Dimension> = {
  everything: { name: 'what.http.method', keysOf: (input) => namesOf(input, 'everything') },
  anything: { name: 'what.http.method', keysOf: (input) => namesOf(input, 'anything') },
}
