/**
 * The file beside an export that says what it is a part of; it stays the same when a compressed
 * export is unpacked.
 */
export function manifestName(file: string): string {
  return `${file.replace(/\.gz$/, '')}.manifest.json`
}
