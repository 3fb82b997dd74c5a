import { onLines, type Row, type Token, type TokenKind } from './rows.ts'

/**
 * Enough of YAML for colours: comments, keys, quoted text, numbers and the words that are values of
 * their own.
 */
const token =
  /(?<comment>(?<=^|\s)#[^\n]*)|(?<key>(?<=^[ \t]*(?:- +)*|[{,] *)[\w$./*-]+(?=\s*:(?:\s|$)))|(?<string>'(?:[^'\n]|'')*'|"(?:[^"\\\n]|\\.)*")|(?<number>(?<=[\s[,:])-?\d[\d_.]*[a-zA-Z]*(?=[\s,\]}]|$))|(?<word>\b(?:true|false|null|allow|deny|hold)\b)/gm

/** YAML in colours, on its own lines. Joined, the tokens are the text. */
export function yamlRows(text: string): Row[] {
  const found: Token[] = []
  let end = 0
  for (const { 0: it, index, groups } of text.matchAll(token)) {
    if (index > end) found.push({ kind: 'plain', text: text.slice(end, index) })
    const [name] = Object.entries(groups!).find(([, value]) => value !== undefined)!
    found.push({ kind: name as TokenKind, text: it })
    end = index + it.length
  }
  if (end < text.length) found.push({ kind: 'plain', text: text.slice(end) })
  return onLines(found)
}
