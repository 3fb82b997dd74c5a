/** The file beside an export that says what it is a part of. */
export function manifestName(file: string): string {
  return `${file}.manifest.json`
}
