import { ClientError, ResponseBodyError } from 'openid-client'
import { z } from 'zod'
import { DeliveryError } from '../../gate/notices/channel.ts'

/**
 * The few members that are read of an error of axios. The rest of it contains the request, with its
 * token.
 */
const failedCall = z.object({
  isAxiosError: z.literal(true),
  response: z
    .object({
      status: z.number(),
      headers: z.object({ 'retry-after': z.string().optional() }).optional(),
      data: z.unknown().optional(),
    })
    .optional(),
})

const said = z.object({ error: z.object({ code: z.string().regex(/^\w{1,60}$/) }) })

/** The longest Retry-After that is respected, in seconds. */
const longestPause = 3600

/**
 * Turns an error of a call to Teams into a `DeliveryError`. It quotes only Teams' own short codes,
 * which contain no secret. Whatever else went wrong is no answer.
 */
export function teamsFailure(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error
  if (error instanceof ResponseBodyError) {
    const code = /^\w{1,60}$/.test(error.error) ? error.error : 'something unknown'
    return new DeliveryError(`Entra gives the bot no token: it says ${code}`)
  }
  if (error instanceof ClientError) return new DeliveryError('Entra gives the bot no token')
  const call = failedCall.safeParse(error).data
  if (!call) throw error
  if (!call.response) return new DeliveryError('Teams did not answer')
  const { status, headers, data } = call.response
  const asked = Number(headers?.['retry-after'] ?? (status === 429 ? 1 : Number.NaN))
  const pause = Number.isFinite(asked) ? Math.min(Math.max(asked, 0), longestPause) : null
  const code = said.safeParse(data).data?.error.code
  if (status === 429) return new DeliveryError(`Teams asks to wait ${pause} s`, retryAfter(pause))
  const words = code === undefined ? `answered with status ${status}` : `says ${code} (${status})`
  return new DeliveryError(`Teams ${words}`, retryAfter(pause))
}

const retryAfter = (seconds: number | null) =>
  seconds === null ? {} : { retryAfterMs: seconds * 1000 }

/** Whether the error means that the message can no longer be edited. */
export function isGone(error: unknown): boolean {
  const status = failedCall.safeParse(error).data?.response?.status
  return status === 404 || status === 410
}
