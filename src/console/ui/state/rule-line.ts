/** The line, from 1, on which a rule is named in a policy file; `null` if it is not. */
export function ruleLine(text: string, rule: string | null): number | null {
  if (rule === null) return null
  const at = text.split('\n').findIndex((line) => {
    const named = /^\s*(?:- +)?name:\s*(['"]?)(.*?)\1\s*(?:#.*)?$/.exec(line)
    return named?.[2] === rule
  })
  return at < 0 ? null : at + 1
}
