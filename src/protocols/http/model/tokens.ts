import type { ModelUse } from '../../../core/data-use.ts'
import { parseJson } from '../../../core/parse-json.ts'

/** The provider whose format an upstream answers in. */
export type ModelApi = 'openai' | 'anthropic'

/**
 * The paths at which answers and events name the model and its usage: for completions, responses
 * (`response`) and messages (`message`).
 */
export const paths: ReadonlySet<string> = new Set(
  ['', 'response.', 'message.'].flatMap((where) => [`${where}model`, `${where}usage`]),
)

/**
 * The counts that we use, by name. An upstream could send any number of others, none of which is
 * kept.
 */
const countNames: ReadonlySet<string> = new Set([
  ...['prompt_tokens', 'completion_tokens', 'prompt_tokens_details.cached_tokens'],
  ...['input_tokens', 'output_tokens', 'input_tokens_details.cached_tokens'],
  ...['cache_read_input_tokens', 'cache_creation_input_tokens'],
])

/** What an answer says about itself, put together from its events. Later events know more. */
export class Said {
  #model: string | undefined
  readonly #usage: Record<string, number> = {}

  /** `found`: JSON by path. */
  add(found: ReadonlyMap<string, string>): void {
    for (const [path, text] of found) {
      const value = parsed(text)
      if (path.endsWith('model')) this.#model ??= nameIn(value)
      else Object.assign(this.#usage, countsIn(value))
    }
  }

  /** Returns `null` if it is not a model's answer. */
  use(api: ModelApi): ModelUse | null {
    const model = this.#model
    const tokens = api === 'openai' ? openai(this.#usage) : anthropic(this.#usage)
    if (!tokens) return model === undefined ? null : { model, unread: 'the answer has no counts' }
    return { ...(model !== undefined && { model }), ...tokens }
  }
}

type Counts = Readonly<Record<string, number>>

/**
 * The usage of completions, embeddings and responses (OpenAI API reference: `CompletionUsage`,
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
 * `input_tokens` excludes what was read from a cache or written to it (Anthropic API reference:
 * `Usage`).
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
    // No JSON. The answer's recipient finds that out too.
    return null
  }
}

/**
 * The name of a model, as providers write them. Anything else is text from outside that nobody
 * needs on record.
 */
function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:/@+-]{1,128}$/.test(value) ? value : undefined
}

/** The counts of `countNames`, by name. Those one level below have both names. */
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
