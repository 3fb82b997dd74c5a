/** The most bytes of a picked value, and of a key. Anything longer is not what we look for. */
const longestValue = 4_096
const longestKey = 64
/** Stands for a key that is too long. JSON cannot have this character unescaped. */
const noKey = '\0'
/**
 * The deepest nesting that is looked at. Deeper levels are only counted, since nothing that we look
 * for is there, but may follow.
 */
const deepest = 64

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c]
const [openObject, closeObject, openArray, closeArray] = [0x7b, 0x7d, 0x5b, 0x5d]

interface Container {
  readonly object: boolean
  /** The keys that lead here; `null` where no wanted path does. */
  readonly path: string | null
  /** In an object, the latest key. */
  key: string
}

/**
 * Picks a few members out of JSON as it passes, without keeping the rest: bytes in, texts out. It
 * does not validate, which is up to the recipient. In text that is no JSON it may find anything or
 * nothing.
 */
export class JsonPicker {
  /**
   * What was found, as JSON, by path: `response.usage`. Of several with the same path, the last.
   */
  readonly found = new Map<string, string>()
  readonly #wanted: ReadonlySet<string>
  // Owned by take(): the containers that it is in.
  readonly #open: Container[] = []
  #inText = false
  #escaped = false
  #keyNext = false
  // Bytes of a key; bytes of a wanted value, and how many containers were open when it began.
  #key: number[] | null = null
  #value: { readonly path: string; readonly depth: number; readonly bytes: number[] } | null = null
  // How many containers are open below the deepest level.
  #beyond = 0

  constructor(wanted: ReadonlySet<string>) {
    this.#wanted = wanted
  }

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (!this.#inText) this.#structure(byte)
      else if (this.#key || this.#value || this.#escaped) this.#text(byte)
      else {
        // Nearly everything that a model says is text that we do not look for.
        while (at < bytes.length && bytes[at] !== quote && bytes[at] !== backslash) at++
        if (at < bytes.length) this.#text(bytes[at]!)
      }
    }
  }

  #text(byte: number): void {
    this.#keep(byte)
    if (this.#escaped) this.#escaped = false
    else if (byte === backslash) this.#escaped = true
    else if (byte === quote) {
      this.#inText = false
      this.#endKey()
      return
    }
    if (this.#key && this.#key.push(byte) > longestKey) this.#key = null
  }

  #structure(byte: number): void {
    const inside = this.#open.at(-1)
    if (byte === comma || byte === closeObject || byte === closeArray) this.#endValue()
    this.#keep(byte)
    if (byte === quote) {
      this.#inText = true
      if (this.#keyNext) this.#beginKey(inside)
    } else if (byte === openObject || byte === openArray) {
      this.#enter(byte === openObject, inside)
    } else if (byte === closeObject || byte === closeArray) {
      if (this.#beyond > 0) this.#beyond--
      else this.#open.pop()
      this.#keyNext = false
    } else if (byte === comma) {
      this.#keyNext = this.#beyond === 0 && (inside?.object ?? false)
    } else if (byte === colon && inside && !this.#value && this.#beyond === 0) {
      const path = pathOf(inside)
      if (path !== null && this.#wanted.has(path))
        this.#value = { path, depth: this.#open.length, bytes: [] }
    }
  }

  #enter(object: boolean, inside: Container | undefined): void {
    if (this.#open.length >= deepest) {
      this.#beyond++
      this.#keyNext = false
      return
    }
    const path = inside ? pathOf(inside) : ''
    this.#open.push({ object, path: object ? path : null, key: noKey })
    this.#keyNext = object
  }

  #beginKey(inside: Container | undefined): void {
    this.#keyNext = false
    this.#key = []
    if (inside) inside.key = noKey
  }

  #endKey(): void {
    const inside = this.#open.at(-1)
    if (this.#key && inside) inside.key = String.fromCharCode(...this.#key)
    this.#key = null
  }

  #keep(byte: number): void {
    if (this.#value && this.#value.bytes.push(byte) > longestValue) this.#value = null
  }

  #endValue(): void {
    if (!this.#value || this.#value.depth !== this.#open.length) return
    const { path, bytes } = this.#value
    this.found.set(path, Buffer.from(bytes).toString())
    this.#value = null
  }
}

function pathOf({ path, key, object }: Container): string | null {
  if (path === null || !object) return null
  return path === '' ? key : `${path}.${key}`
}
