/** One token, as PostgreSQL's scanner gives it. */
export interface Token {
  readonly text: string
  readonly tokenName: string
  readonly keywordName: string
}

/**
 * How often the parser may write down one part of a text. `SET (a, b) = (SELECT …)` appears in its
 * tree once for each column, and so does what stands within, so that an UPDATE in a WITH in an
 * UPDATE multiplies: a text of 1 KB can make a tree of many gigabytes. This is an upper bound:
 * every comparison of a row counts as such an assignment.
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
    // One within another stands in more brackets.
    const keyword = keywordName !== 'NO_KEYWORD'
    if (keyword && text.toLowerCase() === 'update') depths.add(open.length)
    previous = text
  }
  const widest = widths.toSorted((a, b) => b - a).slice(0, depths.size)
  return widest.reduce((product, width) => product * width, 1)
}
