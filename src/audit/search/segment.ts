import type { Stored } from '../exported.ts'
import { LexemeReader, type Recorded } from './lexemes.ts'
import { PageReader, PageWriter, type Page } from './pages.ts'
import type { Lexeme } from './words.ts'

/** An event as its words are taken from it. */
export interface Text extends Omit<Recorded, 'body'> {
  readonly body: Stored | null
  /** Its place in the transparency log. */
  readonly index: number
  readonly id: string
  readonly subject: string | null
}

/** Consecutive events of the log, and the words in them. */
export interface Segment {
  readonly first: number
  readonly until: number
  readonly lo: string
  readonly hi: string
  /**
   * Ids of its events in their order, 16 bytes each. The place of an event in the lists of words is
   * that among these.
   */
  readonly ids: Buffer
  /** How much it is. */
  readonly size: number
  readonly pages: readonly Page[]
}

/**
 * What a segment has at most: a search reads one page for each word and segment, and whoever builds
 * it has all of it in memory. Size is in bytes of that, more or less.
 */
export const most = { events: 32 * 1024, size: 32 * 1024 * 1024 }
const sizeOf = { word: 64, place: 4 }

/** No event. */
const none = -1

interface Posting {
  /** The last event that has it. */
  last: number
  /** The only one, which most words have: an array for each would be most of what is in memory. */
  places: number | number[]
}

/** Takes consecutive events in, until it is full. */
export class SegmentBuilder {
  readonly #first: number
  readonly #postings = new Map<Lexeme, Posting>()
  readonly #reader = new LexemeReader((lexeme) => this.#posting(lexeme))
  /** In hex, as they come. */
  readonly #ids: string[] = []
  readonly #unreadable: string[] = []
  #until: number
  #size = 0

  constructor(first: number) {
    this.#first = first
    this.#until = first
  }

  get until(): number {
    return this.#until
  }

  /** Ids of events that are none: somebody put something else in their place. */
  get unreadable(): readonly string[] {
    return this.#unreadable
  }

  get isFull(): boolean {
    return this.#ids.length >= most.events || this.#size >= most.size
  }

  add(event: Text): void {
    const at = this.#ids.push(event.id.replaceAll('-', '')) - 1
    this.#until = event.index + 1
    try {
      this.#reader.read(asText(event), (posting) => this.#place(posting, at))
    } catch {
      // Whatever is wrong with it, it is no event as gateways write them, and those behind it are
      // to be found.
      this.#unreadable.push(event.id)
    }
  }

  /** There are no events from here on up to `until`. */
  passOver(until: number): void {
    this.#until = until
  }

  /** Takes in all that a segment has which comes right behind. */
  append({
    until,
    ids,
    pages,
  }: Pick<Segment, 'until' | 'ids'> & { pages: readonly Buffer[] }): void {
    const before = this.#ids.length
    for (let at = 0; at < ids.length; at += 16) this.#ids.push(ids.toString('hex', at, at + 16))
    this.#until = until
    for (const page of pages) {
      for (const reader = new PageReader(page); reader.next();) {
        const posting = this.#posting(reader.word)
        for (const place of reader.places()) this.#place(posting, before + place)
      }
    }
  }

  /** `null`: there is nothing in it. */
  finish(): Segment | null {
    const { ids, placeOf } = sorted(this.#ids)
    const [lo, hi] = [ids[0], ids.at(-1)]
    if (lo === undefined || hi === undefined) return null
    const writer = new PageWriter(ids.length)
    for (const [word, places] of this.#inOrder()) {
      writer.add(word, placeOf ? moved(places, placeOf) : places)
    }
    writer.finish()
    return {
      first: this.#first,
      until: this.#until,
      lo,
      hi,
      ids: Buffer.from(ids.join(''), 'hex'),
      size: this.#size,
      pages: writer.pages,
    }
  }

  #posting(lexeme: Lexeme): Posting {
    let posting = this.#postings.get(lexeme)
    if (!posting) {
      // Cut in the middle of a character: UTF-8 has no halves.
      if (!lexeme.isWellFormed()) return this.#posting(lexeme.toWellFormed())
      posting = { last: none, places: none }
      this.#postings.set(lexeme, posting)
      this.#size += sizeOf.word + lexeme.length
    }
    return posting
  }

  #place(posting: Posting, at: number): void {
    if (posting.last === at) return
    if (posting.last === none) posting.places = at
    else if (typeof posting.places === 'number') posting.places = [posting.places, at]
    else posting.places.push(at)
    posting.last = at
    this.#size += sizeOf.place
  }

  /** By the bytes of the words, as the database compares them. */
  *#inOrder(): Generator<[string, readonly number[]]> {
    const beyond = new Map<string, Lexeme>()
    const words: string[] = []
    for (const lexeme of this.#postings.keys()) {
      const bytes = bytesOf(lexeme)
      if (bytes !== lexeme) beyond.set(bytes, lexeme)
      words.push(bytes)
    }
    for (const bytes of words.toSorted()) {
      const { places } = this.#postings.get(beyond.get(bytes) ?? bytes)!
      if (typeof places !== 'number') yield [bytes, places]
      // A name that we give is looked up, and has no places.
      else yield [bytes, places === none ? [] : [places]]
    }
  }
}

/** Throws for what is no UTF-8. */
function asText({ body, personal, subject }: Text): Parameters<LexemeReader<Posting>['read']>[0] {
  if (body !== null && typeof body !== 'string') throw new TypeError('not UTF-8')
  return { body, personal, subject }
}

/** UTF-8, a character for each byte. */
function bytesOf(lexeme: Lexeme): string {
  return /[^\0-\x7f]/.test(lexeme) ? Buffer.from(lexeme).toString('latin1') : lexeme
}

/** Ids in their order, and where each is then; `null` where all are where they were. */
function sorted(ids: readonly string[]): { ids: readonly string[]; placeOf: Uint16Array | null } {
  if (ids.every((id, i) => i === 0 || ids[i - 1]! < id)) return { ids, placeOf: null }
  const order = ids.map((_, at) => at).toSorted((a, b) => (ids[a]! < ids[b]! ? -1 : 1))
  const placeOf = new Uint16Array(ids.length)
  for (const [place, at] of order.entries()) placeOf[at] = place
  return { ids: order.map((at) => ids[at]!), placeOf }
}

/** Nearly all events come in the order of their ids. */
function moved(places: readonly number[], placeOf: Uint16Array): readonly number[] {
  const there = places.map((at) => placeOf[at]!)
  const inOrder = there.every((place, i) => i === 0 || there[i - 1]! < place)
  return inOrder ? there : there.toSorted((a, b) => a - b)
}
