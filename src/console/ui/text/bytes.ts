import type { Row } from './rows.ts'

/** Throws `InvalidCharacterError` (WHATWG Infra, forgiving-base64 decode) if it is not base64. */
export function fromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0')
const printable = (byte: number) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')

/** Offset, bytes, and what of them is printable ASCII: `00000010  4f 4b 0a …  OK·`. */
export function hexRows(bytes: Uint8Array, width: number): Row[] {
  return Array.from({ length: Math.ceil(bytes.length / width) }, (_, line) => {
    const row = [...bytes.subarray(line * width, (line + 1) * width)]
    const digits = row.map((byte) => hex(byte, 2)).join(' ')
    const text = `${digits.padEnd(width * 3 - 1)}  ${row.map(printable).join('')}`
    return { label: hex(line * width, 8), tokens: [{ kind: 'plain', text }] }
  })
}
