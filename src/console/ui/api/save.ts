import { Failure } from './call.ts'

/**
 * Has the browser save an answer, whole, under the name that the gateway gives it. Throws `Failure`
 * where it is cut off.
 */
export async function save(answer: Response): Promise<void> {
  const [, name = 'download'] =
    /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '') ?? []
  const content = await answer.blob().catch((cause: unknown) => {
    throw new Failure('unreachable', 'The answer was cut off before its end.', { cause })
  })
  const url = URL.createObjectURL(content)
  Object.assign(document.createElement('a'), { href: url, download: name }).click()
  // The browser has begun by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
