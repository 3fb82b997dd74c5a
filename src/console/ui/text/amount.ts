const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `1,204`, or `3.4 MB` for bytes: to compare, not to decide by. */
export function amount(value: number, measure: string): string {
  if (measure !== 'bytes') return number.format(value)
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1)
  return `${number.format(value / 1_000 ** power)} ${units[power]}`
}
