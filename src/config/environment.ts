export type Environment = Readonly<Record<string, string | undefined>>

// Two private-use characters stand for `${`, and one for `}`: That way YAML reads a variable as
// plain text, even between the braces of `{ url: ${URL} }`, and the column numbers of mistakes stay
// right.
const hidden = /\uE000\uE001(\w+)\uE002/g

/** Hides every `${NAME}` from the YAML parser, so that a variable's value is never read as YAML. */
export const hideVariables = (text: string): string =>
  text.replace(/(?<!\$)\$\{(\w+)\}/g, '\uE000\uE001$1\uE002')

/** The reverse of `hideVariables`, for messages. */
export const showVariables = (text: string): string => text.replace(hidden, '${$1}')

/**
 * Puts the variables' values into one string of the file; `$${` becomes `${`. `complain` is called
 * for each mistake, with names of variables and never their values. An empty variable is a mistake
 * just as a missing one, because nobody means to have an empty password or token.
 */
export function substitute(
  text: string,
  environment: Environment,
  complain: (message: string, remedy: string) => void,
): string {
  // A single pass, so that `${…}` inside of a variable's value is not replaced.
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
