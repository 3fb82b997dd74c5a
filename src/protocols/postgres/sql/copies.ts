/** One token, as PostgreSQL's scanner gives it. */
export interface Token {
  readonly text: string
  readonly tokenName: string
  readonly keywordName: string
}

/**
 * How often the parser may repeat a part of a text in its tree. `SET (a, b) = (SELECT …)` appears
 * there once for each column, with everything within it, so nested UPDATEs multiply: a text of 1 KB
 * can make a tree of many gigabytes. This is an upper bound, since every comparison of a row counts
 * as such an assignment.
 */
export function copiesIn(tokens: readonly Token[]): number {
  const open: number[] = []
  const widths: number[] = []
  const depths = new Set<number>()
  let closed = 0
  let previous = ''
  for (const { text, tokenName, keywordName } of tokens) {
    if (tokenName.endsWith('COMMENT')) continue
    if (text === '(') open.push(1)
    else if (text === ',' && open.length > 0) open.push(open.pop()! + 1)
    else if (text === ')') closed = open.pop() ?? 1
    else if (text === '=' && previous === ')') widths.push(closed)
    // Nested UPDATEs stand in more brackets.
    const keyword = keywordName !== 'NO_KEYWORD'
    if (keyword && text.toLowerCase() === 'update') depths.add(open.length)
    previous = text
  }
  const widest = widths.toSorted((a, b) => b - a).slice(0, depths.size)
  return widest.reduce((product, width) => product * width, 1)
}
