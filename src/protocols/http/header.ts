/** One header field. The name is in lower case; the value is the bytes that came, as Latin-1. */
export interface Header {
  readonly name: string
  readonly value: string
}

/** Whether a name as it came is this one, which is in lower case. */
export function isNamed(raw: string, name: string): boolean {
  return raw.length === name.length && raw.toLowerCase() === name
}

/** The value of a header that the strict check lets through once at most. */
export function headerValue(headers: readonly Header[], name: string): string | null {
  for (const header of headers) if (header.name === name) return header.value
  return null
}

/** What the bytes of a value mean to people: UTF-8 where it is valid, else Latin-1. */
export function headerText(value: string): string {
  const text = Buffer.from(value, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? value : text
}
