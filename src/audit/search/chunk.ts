import { lexemesOf, type Recorded } from './lexemes.ts'
import type { Lexeme } from './words.ts'

/** An event as its words are taken from it. */
export interface Text extends Recorded {
  /** Its place in the transparency log. */
  readonly index: number
  readonly id: string
}

/** Consecutive events of the log, and the words in them. */
export interface Chunk {
  readonly first: number
  readonly until: number
  readonly lo: string
  readonly hi: string
  /** As PostgreSQL reads a tsvector. */
  readonly words: string
}

/** A word has fewer than 256 positions (PostgreSQL 18, §8.11.1), so that there is one for each event. A vector may have a megabyte. */
const most = { events: 255, size: 256 * 1024 }
/** Milliseconds between two events of a chunk: what came late would otherwise make it reach far back. */
const longestGap = 10 * 60_000

/** Cuts consecutive events into chunks. What is left at the end may still grow. */
export function chunksOf(texts: Iterable<Text>): Chunk[] {
  const chunks: Chunk[] = []
  let building: Building | null = null
  for (const text of texts) {
    if (building && !building.takes(text)) {
      chunks.push(building.chunk())
      building = null
    }
    building ??= new Building(text)
    building.add(text)
  }
  if (building) chunks.push(building.chunk())
  return chunks
}

export function isFull({ first, until }: Chunk): boolean {
  return until - first === most.events
}

class Building {
  readonly #first: number
  readonly #places = new Map<Lexeme, number[]>()
  #until: number
  #lo: string
  #hi: string
  #size = 0

  constructor({ index, id }: Text) {
    this.#first = index
    this.#until = index
    this.#lo = id
    this.#hi = id
  }

  takes({ index, id }: Text): boolean {
    return (
      index - this.#first < most.events &&
      this.#size < most.size &&
      millisecondsOf(id) - millisecondsOf(this.#lo) < longestGap &&
      millisecondsOf(this.#hi) - millisecondsOf(id) < longestGap
    )
  }

  add(event: Text): void {
    const { index, id } = event
    this.#until = index + 1
    if (id < this.#lo) this.#lo = id
    if (id > this.#hi) this.#hi = id
    for (const lexeme of lexemesOf(event)) {
      const places = this.#places.get(lexeme)
      if (places) places.push(index - this.#first + 1)
      else this.#places.set(lexeme, [index - this.#first + 1])
      this.#size += places ? 2 : lexeme.length + 6
    }
  }

  chunk(): Chunk {
    const words = [...this.#places].map(([lexeme, places]) => `${quoted(lexeme)}:${places.join()}`)
    const [first, until, lo, hi] = [this.#first, this.#until, this.#lo, this.#hi]
    return { first, until, lo, hi, words: words.join(' ') }
  }
}

/** As PostgreSQL reads a lexeme, in a tsvector and in a tsquery (PostgreSQL 18, §8.11). */
export function quoted(lexeme: Lexeme): string {
  return `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** The first 48 bits of a UUIDv7 (RFC 9562 §5.7). */
function millisecondsOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}
