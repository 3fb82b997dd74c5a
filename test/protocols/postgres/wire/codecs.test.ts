import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BackendReader } from '../../../../src/protocols/postgres/wire/backend.ts'
import { WireFault } from '../../../../src/protocols/postgres/wire/fault.ts'
import { FrontendReader } from '../../../../src/protocols/postgres/wire/frontend.ts'
import { message, readReport, report } from '../../../../src/protocols/postgres/wire/messages.ts'
import {
  readBind,
  readExecute,
  readNamed,
  readParse,
  readQuery,
} from '../../../../src/protocols/postgres/wire/requests.ts'
import { readOpening } from '../../../../src/protocols/postgres/wire/startup.ts'

const limit = 4096

/** Cuts bytes into pieces of the given sizes, over and over. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
const body = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
const frontend = fc
  .tuple(fc.constantFrom(...'QPBEDCdfpF'), body)
  .map(([type, bytes]) => message(type, bytes))
const bare = fc.constantFrom(...'SHXc').map((type) => message(type))
const backend = fc
  .tuple(fc.constantFrom(...'DDDdTCZEN12s'), body)
  .map(([type, bytes]) => message(type, bytes))

describe("a client's bytes", () => {
  test('are the same messages, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(frontend, bare), { maxLength: 12 }),
        sizes,
        (messages, sizes) => {
          const reader = new FrontendReader(limit)
          const seen: Buffer[] = []
          for (const piece of cut(Buffer.concat(messages), sizes)) {
            reader.push(piece)
            while (reader.ready) seen.push(Buffer.from(reader.next()!.bytes))
          }
          expect(seen).toEqual(messages)
          expect(reader.pending).toBe(0)
        },
      ),
    )
  })

  test('that are rows come out as they came, before they are whole, and only where they are asked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(frontend, bare), { maxLength: 12 }),
        sizes,
        fc.boolean(),
        (messages, sizes, copying) => {
          const reader = new FrontendReader(limit)
          const out: Buffer[] = []
          let begun = 0
          for (const piece of cut(Buffer.concat(messages), sizes)) {
            reader.push(piece)
            for (;;) {
              const rows = reader.rows(copying)
              const whole = rows ?? reader.next()
              if (!whole) break
              out.push(Buffer.from(whole.bytes))
              begun += rows ? rows.begun : 1
              if (rows) expect(copying).toBe(true)
            }
            const behind = reader.pending
            if (copying && reader.within) expect(behind).toBe(0)
          }
          expect(Buffer.concat(out)).toEqual(Buffer.concat(messages))
          expect(begun).toBe(messages.length)
          expect(reader.within).toBe(false)
        },
      ),
    )
  })

  test('that are rows are refused above the limit, too', () => {
    const reader = new FrontendReader(limit)
    const head = Buffer.from([0x64, 0, 0, 0, 0])
    head.writeUInt32BE(limit + 1, 1)
    reader.push(head)
    expect(() => reader.rows(true)).toThrow('a message may have 4096 bytes at most')
  })

  test('that are garbage throw a WireFault, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (garbage, sizes) => {
        const reader = new FrontendReader(limit)
        const faults: unknown[] = []
        try {
          for (const piece of cut(Buffer.from(garbage), sizes)) {
            reader.push(piece)
            while (reader.next());
          }
        } catch (error) {
          faults.push(error)
        }
        for (const fault of faults) expect(fault).toBeInstanceOf(WireFault)
      }),
    )
  })

  test('of any body are read, or throw a WireFault', () => {
    const readers = [readQuery, readParse, readBind, readExecute, readNamed]
    fc.assert(
      fc.property(fc.constantFrom(...readers), body, (read, bytes) => {
        let fault: unknown = null
        try {
          read(bytes)
        } catch (error) {
          fault = error
        }
        if (fault !== null) expect(fault).toBeInstanceOf(WireFault)
      }),
    )
  })

  test('of a start-up are read, or throw a WireFault', () => {
    const startLike = body.map((bytes) => message('', Buffer.from([0, 3, 0, 0]), bytes))
    fc.assert(
      fc.property(fc.oneof(body, startLike), (bytes) => {
        let fault: unknown = null
        try {
          readOpening(bytes)
        } catch (error) {
          fault = error
        }
        if (fault !== null) expect(fault).toBeInstanceOf(WireFault)
      }),
    )
  })

  test('are refused above the limit when they are announced, and not when they have come', () => {
    const reader = new FrontendReader(limit)
    const head = Buffer.from([0x51, 0, 0, 0, 0])
    head.writeUInt32BE(limit + 1, 1)
    reader.push(head)
    expect(() => reader.next()).toThrow('a message may have 4096 bytes at most')
  })

  test('that are no UTF-8 are no text', () => {
    expect(() => readQuery(Buffer.from([0x53, 0xff, 0]))).toThrow('invalid byte sequence')
    expect(() => readQuery(Buffer.from('SELECT 1'))).toThrow('invalid string')
    expect(() => readQuery(Buffer.from('SELECT 1\0; DROP TABLE t\0'))).toThrow(
      'invalid message format',
    )
  })
})

describe("a server's bytes", () => {
  test('come out as they came, however they are cut, and only masses in parts', () => {
    fc.assert(
      fc.property(fc.array(backend, { maxLength: 20 }), sizes, (messages, sizes) => {
        const reader = new BackendReader()
        const out: Buffer[] = []
        // One for all that is read, as a socket has it.
        const buffer = Buffer.alloc(40)
        let begun = 0
        for (const piece of cut(Buffer.concat(messages), sizes)) {
          piece.copy(buffer.fill(0xff))
          reader.push(buffer.subarray(0, piece.length))
          for (let one = reader.next(); one; one = reader.next()) {
            out.push(Buffer.from(one.bytes))
            begun += one.begun
            if (!one.whole) expect('Dd').toContain(one.type)
          }
        }
        expect(Buffer.concat(out)).toEqual(Buffer.concat(messages))
        expect(begun).toBe(messages.length)
        expect(reader.within).toBe(false)
      }),
    )
  })

  test('that are garbage throw a WireFault, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (garbage, sizes) => {
        let fault: unknown = null
        try {
          const reader = new BackendReader()
          for (const piece of cut(Buffer.from(garbage), sizes)) {
            reader.push(piece)
            while (reader.next());
          }
        } catch (error) {
          fault = error
        }
        if (fault !== null) expect(fault).toBeInstanceOf(WireFault)
      }),
    )
  })
})

test('a report says what it was made of', () => {
  const bytes = report({
    severity: 'ERROR',
    code: '42501',
    message: 'no',
    detail: 'a\0b',
    hint: 'h',
    position: 3,
  })
  expect(Object.fromEntries(readReport(bytes.subarray(5)))).toEqual({
    S: 'ERROR',
    V: 'ERROR',
    C: '42501',
    M: 'no',
    D: 'a b',
    H: 'h',
    P: '3',
  })
})
