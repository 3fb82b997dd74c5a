const number = new Intl.NumberFormat('en')

/** `1 line`, `1,024 bytes`: exact, because an approver decides on exactly that much. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number.format(n)} ${n === 1 ? one : many}`
}
