import type { Queryable } from '../../store/db.ts'
import { readPlaced, withoutThread, type Placed } from './payload.ts'
import { forgetPlace, notePlace, type Place } from './places.ts'

/**
 * Keeps in mind where the app is: Teams says so when it is installed, renamed around it, removed,
 * and whenever somebody writes to it. Without it nothing could be said there first. The place that
 * this is about, or `null`.
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

/** That somebody joined or left says nothing of the app. */
function isHere({ type, recipient, membersAdded, channelData }: Placed): boolean {
  return (
    type !== 'conversationUpdate' ||
    membersAdded.some(({ id }) => id === recipient.id) ||
    channelData.eventType === 'teamRenamed'
  )
}
