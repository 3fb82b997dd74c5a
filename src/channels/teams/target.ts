import type { Client as ApiClient } from '@microsoft/teams.api'
import { DeliveryError } from '../../gate/notices/channel.ts'
import type { Queryable } from '../../store/db.ts'
import { findPerson, listTeams, serviceOf, type Place } from './places.ts'

export interface Destination {
  readonly conversation: string
  readonly serviceUrl: string
}

export interface Directory {
  readonly db: Queryable
  readonly tenant: string
  /** The address of the service, where Teams has never told another. */
  readonly service: string
  readonly api: (serviceUrl: string) => ApiClient
}

/**
 * The destination of `teams:…`: `@` and an object id is a person; an id of Teams (`19:…`) is what
 * it names; `team/channel` and `channel` are names, with dashes for blanks, that must fit exactly
 * one channel. Names are looked up each time, because people rename things. Rejects with
 * `DeliveryError`.
 */
export async function destinationOf(directory: Directory, target: string): Promise<Destination> {
  const { db, tenant, service } = directory
  if (target.startsWith('@')) {
    const person = await findPerson(db, tenant, target.slice(1).toLowerCase())
    if (!person) throw new DeliveryError('This person has not installed the app in Teams')
    return person
  }
  if (/^\d+:/.test(target)) {
    const serviceUrl = (await serviceOf(db, tenant, target)) ?? service
    return { conversation: target, serviceUrl }
  }
  const wanted = target.toLowerCase()
  const found = new Map<string, Destination>()
  for (const team of await listTeams(db, tenant)) {
    for (const channel of await channelsOf(directory, team)) {
      if (isMeant(wanted, folded(team.name), channel.name))
        found.set(channel.id, { conversation: channel.id, serviceUrl: team.serviceUrl })
    }
  }
  const [destination] = found.values()
  if (!destination) throw new DeliveryError('No team that has the app has a channel of this name')
  if (found.size > 1)
    throw new DeliveryError('Several channels have this name: write team/channel, or the id')
  return destination
}

/**
 * The channels that everybody in the team can see; private and shared ones have to be given by id.
 * Teams gives the first channel no name.
 */
async function channelsOf({ api }: Directory, { id: team, serviceUrl }: Place) {
  const channels = await api(serviceUrl).teams.getConversations(team)
  return channels.flatMap(({ id, name }) =>
    id === undefined ? [] : [{ id, name: folded(name ?? 'General') }],
  )
}

function isMeant(wanted: string, team: string, channel: string): boolean {
  return wanted === channel || wanted === `${team}/${channel}`
}

/** A name as people write it where it cannot contain blanks. */
const folded = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s/]+/g, '-')
