import type { ModelUse } from '../../../core/data-use.ts'
import { parseJson } from '../../../core/parse-json.ts'

/** Whose way of answering an upstream has. */
export type ModelApi = 'openai' | 'anthropic'

/**
 * Where answers and events say which model it was, and what it used: of completions, of responses
 * (`response`), and of messages (`message`).
 */
export const paths: ReadonlySet<string> = new Set(
  ['', 'response.', 'message.'].flatMap((where) => [`${where}model`, `${where}usage`]),
)

/**
 * The counts that mean something here, by name. An upstream can send others without end, and none
 * of them is kept.
 */
const countNames: ReadonlySet<string> = new Set([
  ...['prompt_tokens', 'completion_tokens', 'prompt_tokens_details.cached_tokens'],
  ...['input_tokens', 'output_tokens', 'input_tokens_details.cached_tokens'],
  ...['cache_read_input_tokens', 'cache_creation_input_tokens'],
])

/**
 * What an answer says about itself, put together from its events, of which later ones know more.
 */
export class Said {
  #model: string | undefined
  readonly #usage: Record<string, number> = {}

  /** JSON by path. */
  add(found: ReadonlyMap<string, string>): void {
    for (const [path, text] of found) {
      const value = parsed(text)
      if (path.endsWith('model')) this.#model ??= nameIn(value)
      else Object.assign(this.#usage, countsIn(value))
    }
  }

  /** `null` if it is no answer of a model. */
  use(api: ModelApi): ModelUse | null {
    const model = this.#model
    const tokens = api === 'openai' ? openai(this.#usage) : anthropic(this.#usage)
    if (!tokens) return model === undefined ? null : { model, unread: 'the answer has no counts' }
    return { ...(model !== undefined && { model }), ...tokens }
  }
}

type Counts = Readonly<Record<string, number>>

/**
 * Of completions and embeddings, or of responses (OpenAI API reference: `CompletionUsage`,
 * `ResponseUsage`).
 */
function openai(usage: Counts): ModelUse | null {
  const tokens_in = usage['prompt_tokens'] ?? usage['input_tokens']
  if (tokens_in === undefined) return null
  const tokens_out = usage['completion_tokens'] ?? usage['output_tokens'] ?? 0
  const tokens_cached =
    usage['prompt_tokens_details.cached_tokens'] ?? usage['input_tokens_details.cached_tokens'] ?? 0
  return { tokens_in, tokens_out, tokens_cached }
}

/**
 * `input_tokens` leaves out what was read from a cache, and what was written to it (Anthropic API
 * reference: `Usage`).
 */
function anthropic(usage: Counts): ModelUse | null {
  const { input_tokens, output_tokens = 0 } = usage
  if (input_tokens === undefined) return null
  const tokens_cached = usage['cache_read_input_tokens'] ?? 0
  const written = usage['cache_creation_input_tokens'] ?? 0
  return {
    tokens_in: input_tokens + tokens_cached + written,
    tokens_out: output_tokens,
    tokens_cached,
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    // Whoever the answer is for finds that out, too.
    return null
  }
}

/**
 * Names of models as providers write them. Anything else is text from outside, which nobody needs
 * on record.
 */
function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:/@+-]{1,128}$/.test(value) ? value : undefined
}

/** Those of `countNames`, by name; those of one level below with both names. */
export function countsIn(value: unknown, prefix = ''): Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const found: Record<string, number> = {}
  for (const [name, one] of Object.entries(value)) {
    const known = countNames.has(prefix + name)
    if (!known) Object.assign(found, prefix === '' && countsIn(one, `${name}.`))
    else if (Number.isSafeInteger(one) && one >= 0) found[prefix + name] = one
  }
  return found
}
