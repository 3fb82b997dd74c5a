import { BodyReader } from './body-reader.ts'

/** Calls `row` with the values of each of these whole DataRow messages, which are in text form. */
export function readRows(bytes: Buffer, row: (values: (string | null)[]) => void): void {
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 1)
    const reader = new BodyReader(bytes.subarray(at + 5, at + 1 + length))
    row(
      Array.from({ length: reader.uint16() }, () => {
        const size = reader.int32()
        return size < 0 ? null : reader.bytes(size).toString('utf8')
      }),
    )
    at += 1 + length
  }
}
