import { onLines, type Row, type Token, type TokenKind } from './rows.ts'

const keywords = new Set(
  `abort all alter analyze and any array as asc begin between by call cascade case check cluster column commit conflict constraint copy create
  cross current cursor database deallocate declare default delete desc distinct do drop else end except exclude execute exists explain extension
  false fetch filter first for foreign from full function grant group having if ilike in index inner insert intersect into is isolation join key
  last lateral left level like limit listen lock materialized merge natural no not notify nothing null nulls of offset on only or order outer over
  owned owner partition prepare primary privileges procedure program references refresh reindex release rename reset restrict returning revoke
  right role rollback row rows savepoint schema security select sequence serializable session set share similar some stdin stdout table
  temporary then to transaction trigger true truncate union unique unlisten update user using vacuum values view when where window with within work`.split(
    /\s+/,
  ),
)

/**
 * Lexical structure of PostgreSQL (its manual, §4.1), for colours alone: whatever it takes wrongly
 * is still shown as it was sent.
 */
const token =
  /(?<comment>--[^\n]*|\/\*[^]*?(?:\*\/|$))|(?<string>(?:\b[eEbBxXnN])?'(?:[^'\\]|''|\\[^])*(?:'|$)|\$(\w*)\$[^]*?(?:\$\3\$|$))|(?<key>"(?:[^"]|"")*(?:"|$))|(?<number>\$\d+|\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/g

function tokens(text: string): Token[] {
  const found: Token[] = []
  let end = 0
  for (const { 0: it, index, groups } of text.matchAll(token)) {
    if (index > end) found.push({ kind: 'plain', text: text.slice(end, index) })
    const [name] = Object.entries(groups!).find(([, value]) => value !== undefined)!
    const kind = name === 'word' && !keywords.has(it.toLowerCase()) ? 'plain' : (name as TokenKind)
    found.push({ kind, text: it })
    end = index + it.length
  }
  if (end < text.length) found.push({ kind: 'plain', text: text.slice(end) })
  return found
}

/** SQL in colours, on the lines that it was written on. Joined, the tokens are the text. */
export function sqlRows(text: string): Row[] {
  return onLines(tokens(text))
}
