import type { Queryable } from '../../store/db.ts'
import { readPlaced, withoutThread, type Placed } from './payload.ts'
import { forgetPlace, notePlace, type Place } from './places.ts'

/**
 * Remembers where the app is installed. Teams says so when the app is added or removed, when a team
 * is renamed, and whenever somebody writes to the bot. Without this, the bot could not begin a
 * conversation there. Resolves with the place that the activity is about, or `null`.
 */
export async function notePlaceOf(
  db: Queryable,
  tenant: string,
  activity: unknown,
): Promise<Place | null> {
  const placed = readPlaced(activity)
  const place = placed && placeOf(placed)
  if (!place) return null
  if (isOver(placed)) await forgetPlace(db, tenant, place)
  else if (isHere(placed)) await notePlace(db, tenant, place)
  return place
}

function placeOf({ serviceUrl, from, conversation, channelData }: Placed): Place | null {
  const id = withoutThread(conversation.id)
  const common = { conversation: id, serviceUrl }
  const { team } = channelData
  if (team) {
    return { kind: 'team', id: team.id, name: team.name ?? '', ...common, conversation: team.id }
  }
  if (conversation.conversationType !== 'personal') return { kind: 'chat', id, name: '', ...common }
  return from.aadObjectId === undefined
    ? null
    : { kind: 'person', id: from.aadObjectId, name: '', ...common }
}

function isOver({ type, action, recipient, membersRemoved, channelData }: Placed): boolean {
  if (type === 'installationUpdate') return action === 'remove'
  return (
    membersRemoved.some(({ id }) => id === recipient.id) || channelData.eventType === 'teamDeleted'
  )
}

/** Whether the app is in this place. That some person joined or left says nothing about the app. */
function isHere({ type, recipient, membersAdded, channelData }: Placed): boolean {
  return (
    type !== 'conversationUpdate' ||
    membersAdded.some(({ id }) => id === recipient.id) ||
    channelData.eventType === 'teamRenamed'
  )
}
