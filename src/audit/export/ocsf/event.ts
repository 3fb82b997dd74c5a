import type { JsonObject } from '../../../core/json.ts'
import { version } from '../../../core/version.ts'
import { whateverIsThere, type EventRow } from '../../exported.ts'
import { actorOf, delegationOf, observablesOf } from './actor.ts'
import { classed } from './classed.ts'
import { classes, kindOf, type Kind } from './kinds.ts'
import { object, recorded, text, timeOf, type Recorded } from './recorded.ts'
import { isControlled, severityOf, statusOf } from './status.ts'

/**
 * An event as one line of JSON, in the class of OCSF 1.8 that fits it. The whole event is under
 * `unmapped`.
 */
export const ocsfLine = whateverIsThere((row) => {
  return JSON.stringify(ocsfEvent(row))
})

export function ocsfEvent(row: EventRow): JsonObject {
  const event = recorded(row)
  if (row.body === null) return missing(event, row)
  const http = object(event.attributes?.['http'])
  const kind = kindOf({
    type: event.type,
    action: event.action?.name,
    method: text(http?.['method']),
    effect: event.effect,
  })
  const delegation = delegationOf(event)
  const observables = observablesOf(event, text(http?.['path']))
  const correlation = event.approval ?? event.action?.id
  const profiles = [
    // Classes without an actor of their own.
    ...(kind.class === 'http' ? ['host'] : []),
    ...(isControlled(event, kind) ? ['security_control'] : []),
  ]
  return {
    ...classification(kind),
    time: timeOf(event) ?? unknownTime,
    message: event.type,
    ...severityOf(event, kind),
    ...statusOf(event, kind),
    actor: actorOf(event),
    ...classed(event, kind),
    ...(delegation && { enrichments: [delegation] }),
    ...(observables.length > 0 && { observables }),
    metadata: {
      ...metadata(event),
      event_code: event.type,
      ...(correlation !== undefined && { correlation_uid: correlation }),
      ...(profiles.length > 0 && { profiles }),
    },
    unmapped: event.whole,
  }
}

/** Required by the classes: 1970, if what somebody put in the place of an event has no time. */
const unknownTime = 0

/**
 * A line for an event of which only the link is there, because it is kept elsewhere or somebody
 * removed it. Without one the count would be wrong.
 */
function missing(event: Recorded, { retained }: EventRow): JsonObject {
  return {
    ...classification({ class: 'base', activity: [0, 'Unknown'] }),
    time: unknownTime,
    ...(retained
      ? { message: 'Kept elsewhere: only its hashes are here.', severity_id: 1 }
      : { message: 'The link is there, and its event is not.', severity_id: 5 }),
    severity: retained ? 'Informational' : 'Critical',
    metadata: metadata(event),
    unmapped: event.whole,
  }
}

function classification({ class: name, activity: [id, activity] }: Kind): JsonObject {
  const { uid, category, name: caption } = classes[name]
  return {
    category_uid: category,
    class_uid: uid,
    class_name: caption,
    activity_id: id,
    activity_name: activity,
    type_uid: uid * 100 + id,
  }
}

function metadata({ id, index }: Recorded): JsonObject {
  return {
    version: '1.8.0',
    product: { name: 'Sallyport', vendor_name: 'Sallyport', version },
    log_name: 'sallyport audit',
    uid: id,
    ...(index !== undefined && { sequence: index }),
  }
}
