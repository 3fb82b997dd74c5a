import type { ProblemCode } from '../../../core/reasons.ts'

/** `unreachable`: there was no answer at all, so nobody knows what became of the request. */
export type FailureCode = ProblemCode | 'unreachable'

/** What the gateway, or the way to it, said instead of an answer. */
export class Failure extends Error {
  readonly code: FailureCode
  /** The one that has to be given first, where the gateway names one. */
  readonly approval: string | null

  constructor(
    code: FailureCode,
    detail: string,
    { approval = null, ...options }: ErrorOptions & { approval?: string | null } = {},
  ) {
    super(detail, options)
    this.name = 'Failure'
    this.code = code
    this.approval = approval
  }

  /** Anything else that was thrown is a defect, and is shown as one. */
  static from(error: unknown): Failure {
    return error instanceof Failure ? error : new Failure('internal-error', String(error))
  }
}

export interface Answer<T> {
  readonly body: T
  /** The `Date` of the answer: the gateway's clock. */
  readonly date: string | null
}

interface ShownProblem {
  readonly type: string
  readonly detail: string
  readonly task?: { readonly id: string }
}

/**
 * Problem details (RFC 9457) end in the code; anything else that is not a success counts as a
 * failure of the gateway.
 */
async function failure(response: Response): Promise<Failure> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  if (!isProblem) {
    const code = response.status === 401 ? 'unauthenticated' : 'internal-error'
    return new Failure(code, `The gateway answered ${response.status}.`)
  }
  const { type, detail, task } = (await response.json()) as ShownProblem
  return new Failure(type.slice(type.lastIndexOf('/') + 1) as ProblemCode, detail, {
    approval: task?.id ?? null,
  })
}

export type Init =
  | { readonly method: 'GET' }
  | { readonly method: 'POST'; readonly csrf: string; readonly body: unknown }

/** One request to the control plane, as the person who is logged in. Throws `Failure`. */
export async function call<T>(path: string, init: Init = { method: 'GET' }): Promise<Answer<T>> {
  const response = await send(path, init)
  const body = response.status === 204 ? null : await response.json()
  return { body: body as T, date: response.headers.get('date') }
}

/** The same for an answer that is read as it comes, until `signal`. Throws `Failure`. */
export async function send(path: string, init: Init, signal?: AbortSignal): Promise<Response> {
  const request: RequestInit =
    init.method === 'GET'
      ? { headers: { accept: 'application/json' } }
      : {
          method: 'POST',
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            'x-csrf-token': init.csrf,
          },
          body: JSON.stringify(init.body),
        }
  let response: Response
  try {
    response = await fetch(path, {
      ...request,
      ...(signal && { signal }),
      cache: 'no-store',
      credentials: 'same-origin',
    })
  } catch (cause) {
    throw new Failure('unreachable', 'The gateway did not answer.', { cause })
  }
  if (!response.ok) throw await failure(response)
  return response
}
