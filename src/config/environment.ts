export type Environment = Readonly<Record<string, string | undefined>>

// Two private-use characters stand for `${`, and one for `}`: YAML then reads a variable as plain
// text, between the braces of `{ url: ${URL} }` too, and every column stays where it is.
const hidden = /\uE000\uE001(\w+)\uE002/g

/** Hides every `${NAME}` from the YAML parser, so that a variable's value is never read as YAML. */
export const hideVariables = (text: string): string =>
  text.replace(/(?<!\$)\$\{(\w+)\}/g, '\uE000\uE001$1\uE002')

/** The reverse, for messages. */
export const showVariables = (text: string): string => text.replace(hidden, '${$1}')

/**
 * Puts the variables' values into one string of the file; `$${` becomes `${`. `complain` is called
 * for everything that is wrong, and names variables, never values. An empty variable is as wrong as
 * none: an empty password or token is never what was meant.
 */
export function substitute(
  text: string,
  environment: Environment,
  complain: (message: string, remedy: string) => void,
): string {
  // One pass: what a variable's value contains is not looked at again.
  return text.replace(/\uE000\uE001(\w+)\uE002|\$?\$\{/g, (found, name?: string) => {
    if (found === '$${') return '${'
    if (name === undefined) {
      complain(
        '"${" starts a variable here, and none follows.',
        'Write ${NAME}, or $${ for the two characters.',
      )
      return ''
    }
    const value = environment[name]
    if (!value)
      complain(
        `The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.`,
        `Set ${name} before starting, or write the value here.`,
      )
    return value ?? ''
  })
}
