/** Digits of a size or an index, so that names sort like numbers. */
const digits = 12

/**
 * The name of a file about a part of a log: the beginning of the UUID in the log's origin, and the
 * sizes that delimit the part.
 */
export function fileName(origin: string, sizes: readonly number[]): string {
  const log = origin.slice(origin.lastIndexOf('/') + 1).slice(0, 8)
  return ['sallyport', log, ...sizes.map((size) => String(size).padStart(digits, '0'))].join('-')
}
