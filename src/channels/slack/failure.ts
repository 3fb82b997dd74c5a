import { webApi } from '@slack/bolt'
import { DeliveryError } from '../../gate/notices/channel.ts'

/**
 * Turns an error of Slack's client into a `DeliveryError`. It quotes only Slack's own short codes,
 * which contain no secret. Throws any other error as it is.
 */
export function slackFailure(error: unknown): DeliveryError {
  const cause = error
  if (error instanceof webApi.WebAPIRateLimitedError) {
    const { retryAfter } = error
    return new DeliveryError(`Slack asks to wait ${retryAfter} s`, {
      cause,
      retryAfterMs: retryAfter * 1000,
    })
  }
  if (error instanceof webApi.WebAPIPlatformError) {
    return new DeliveryError(`Slack says ${codeOf(error)}`, { cause })
  }
  if (error instanceof webApi.WebAPIHTTPError) {
    return new DeliveryError(`Slack answered with status ${error.statusCode}`, { cause })
  }
  if (error instanceof webApi.WebAPIRequestError) {
    return new DeliveryError('Slack did not answer', { cause })
  }
  throw error
}

/** `channel_not_found`, `not_in_channel` …; `null` for anything but an answer of Slack's. */
export function slackCode(error: unknown): string | null {
  return error instanceof webApi.WebAPIPlatformError ? codeOf(error) : null
}

function codeOf({ data }: webApi.WebAPIPlatformError): string {
  return /^[a-z_]{1,60}$/.test(data.error) ? data.error : 'something unknown'
}
