/** One header field. The name is in lower case; the value is the bytes that came, as Latin-1. */
export interface Header {
  readonly name: string
  readonly value: string
}

/** Whether a name, as it came, is the lower-case `name`. */
export function isNamed(raw: string, name: string): boolean {
  return raw.length === name.length && raw.toLowerCase() === name
}

/**
 * The value of a header that the strict check lets through at most once; `null` if it is not there.
 */
export function headerValue(headers: readonly Header[], name: string): string | null {
  for (const header of headers) if (header.name === name) return header.value
  return null
}

/** A value as text for people: decoded as UTF-8 if it is valid, otherwise as Latin-1. */
export function headerText(value: string): string {
  const text = Buffer.from(value, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? value : text
}
