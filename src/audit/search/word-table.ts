/**
 * Gives what stands for a word where it stands in a text, without making a string of it: most words
 * have come before.
 */
export class WordTable<Entry> {
  readonly #entryOf: (word: string) => Entry
  /**
   * By hash: the number of the word, or 0. Of twice as many words as there are, or more, so that
   * there is an end to looking.
   */
  #slots = new Int32Array(1 << 12)
  readonly #hashes: number[] = [0]
  readonly #words: string[] = ['']
  readonly #entries: Entry[] = []

  constructor(entryOf: (word: string) => Entry) {
    this.#entryOf = entryOf
  }

  /** `hash`: of these characters, and the same for the same characters. */
  at(text: string, from: number, to: number, hash: number): Entry {
    const mask = this.#slots.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    for (; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!
      if (number === 0) break
      if (this.#hashes[number] === hash && isAt(this.#words[number]!, text, from, to)) {
        return this.#entries[number - 1]!
      }
    }
    const word = copyOf(text.slice(from, to))
    this.#slots[slot] = this.#words.push(word) - 1
    this.#hashes.push(hash)
    const entry = this.#entryOf(word)
    this.#entries.push(entry)
    if (2 * this.#words.length > this.#slots.length) this.#grow()
    return entry
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length)
    const mask = this.#slots.length - 1
    for (let number = 1; number < this.#words.length; number += 1) {
      const hash = this.#hashes[number]!
      let slot = (hash ^ (hash >>> 15)) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = number
    }
  }
}

function isAt(word: string, text: string, from: number, to: number): boolean {
  if (word.length !== to - from) return false
  for (let i = 0; i < word.length; i += 1) {
    if (word.charCodeAt(i) !== text.charCodeAt(from + i)) return false
  }
  return true
}

/** A part of a text keeps all of it in memory, unless it is copied. */
export function copyOf(part: string): string {
  return Buffer.from(part, 'utf16le').toString('utf16le')
}
