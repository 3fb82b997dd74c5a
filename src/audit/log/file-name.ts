/** A size or an index, so that names sort as numbers do. */
const digits = 12

/**
 * What a file about this part of a log is called: the beginning of the UUID in the log's origin,
 * and the sizes of the log that it is about.
 */
export function fileName(origin: string, sizes: readonly number[]): string {
  const log = origin.slice(origin.lastIndexOf('/') + 1).slice(0, 8)
  return ['sallyport', log, ...sizes.map((size) => String(size).padStart(digits, '0'))].join('-')
}
