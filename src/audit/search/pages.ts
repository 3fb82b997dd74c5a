/**
 * Words as the database keeps them: pages of entries in the order of their bytes, each the word and
 * the places that it has among the events of its segment. Numbers have seven bits to a byte, the
 * least first. An entry is the length of the word, the word in UTF-8, twice the length of its list,
 * one more for a bitmap, and the list: the difference of each place to the one before it, or a bit
 * for each event, whichever is shorter.
 */
export interface Page {
  /** Of its first entry. */
  readonly word: Buffer
  readonly data: Buffer
}

/** Bytes of a page, if it has more than one entry: what a search reads to find one word. */
const pageSize = 2_048
/** Bytes that one entry can have: the longest name, and a bitmap of the largest segment. */
const largestEntry = 6 * 1024

/** Takes entries in the order of their words. */
export class PageWriter {
  readonly pages: Page[] = []
  readonly #events: number
  readonly #list: Buffer
  readonly #data = Buffer.allocUnsafe(pageSize + largestEntry)
  #length = 0
  #word = ''

  /** `events`: how many the segment has. */
  constructor(events: number) {
    this.#events = events
    this.#list = Buffer.allocUnsafe(Math.ceil(events / 8) + 4)
  }

  /** `word` has a character for each byte of UTF-8; places go up. */
  add(word: string, places: readonly number[]): void {
    const { length, bits } = this.#write(places)
    if (this.#length > 0 && this.#length + word.length + length + 8 > pageSize) this.finish()
    if (this.#length === 0) this.#word = word
    this.#number(word.length)
    this.#length += this.#data.write(word, this.#length, 'latin1')
    this.#number(2 * length + (bits ? 1 : 0))
    this.#length += this.#list.copy(this.#data, this.#length, 0, length)
  }

  finish(): void {
    if (this.#length === 0) return
    const data = Buffer.from(this.#data.subarray(0, this.#length))
    this.pages.push({ word: Buffer.from(this.#word, 'latin1'), data })
    this.#length = 0
  }

  #number(value: number): void {
    this.#length = writeNumber(this.#data, value, this.#length)
  }

  #write(places: readonly number[]): { length: number; bits: boolean } {
    const most = Math.ceil(this.#events / 8)
    let length = 0
    let last = 0
    for (const place of places) {
      length = writeNumber(this.#list, place - last, length)
      last = place
      if (length > most) return this.#writeBits(places, most)
    }
    return { length, bits: false }
  }

  #writeBits(places: readonly number[], length: number): { length: number; bits: boolean } {
    this.#list.fill(0)
    for (const place of places) this.#list[place >> 3]! |= 1 << (place & 7)
    return { length, bits: true }
  }
}

/** Goes through the entries of a page. */
export class PageReader {
  readonly #data: Buffer
  #at = 0
  #word = { start: 0, end: 0 }
  #list = { start: 0, bits: false }

  constructor(data: Buffer) {
    this.#data = data
  }

  /** Goes to the next entry; `false` at the end. */
  next(): boolean {
    if (this.#at === this.#data.length) return false
    const length = this.#number()
    this.#word = { start: this.#at, end: this.#at + length }
    this.#at += length
    const list = this.#number()
    this.#list = { start: this.#at, bits: list % 2 === 1 }
    this.#at += list >> 1
    return true
  }

  get word(): string {
    return this.#data.toString('utf8', this.#word.start, this.#word.end)
  }

  /** Whether the word is this one, or begins with it. */
  is(word: Buffer, begins: boolean): boolean {
    const { start, end } = this.#word
    const stop = begins ? Math.min(end, start + word.length) : end
    return this.#data.compare(word, 0, word.length, start, stop) === 0
  }

  /** Bytes of its list: how common the word is, more or less. */
  get length(): number {
    return this.#at - this.#list.start
  }

  /** The places of its word, in their order. */
  places(): number[] {
    const places: number[] = []
    const { start, bits } = this.#list
    const end = this.#at
    if (bits) {
      for (let place = 0; place < 8 * (end - start); place += 1) {
        if (this.#hasBit(place)) places.push(place)
      }
      return places
    }
    let place = 0
    for (this.#at = start; this.#at < end;) places.push((place += this.#number()))
    return places
  }

  /** Flags those among these places, which are in their order, that its word has. */
  flag(among: readonly number[], flags: Uint8Array): void {
    if (this.#list.bits) {
      for (const [i, place] of among.entries()) if (this.#hasBit(place)) flags[i] = 1
      return
    }
    let i = 0
    for (const place of this.places()) {
      while (i < among.length && among[i]! < place) i += 1
      if (i === among.length) return
      if (among[i] === place) flags[i] = 1
    }
  }

  #hasBit(place: number): boolean {
    return (this.#data[this.#list.start + (place >> 3)]! & (1 << (place & 7))) !== 0
  }

  #number(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#data[this.#at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
}

/** Returns where it ends. */
function writeNumber(bytes: Buffer, value: number, at: number): number {
  let end = at
  let rest = value
  for (; rest > 0x7f; rest >>= 7) bytes[end++] = (rest & 0x7f) | 0x80
  bytes[end++] = rest
  return end
}
