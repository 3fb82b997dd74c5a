import { accessSync, constants } from 'node:fs'
import { gatewayItself } from '../core/gateway-itself.ts'
import type { Finding } from './finding.ts'
import { canMatch } from './route-glob.ts'
import { isHttp, type HttpResource, type Resource } from './schema.ts'

export function* checkResources(resources: readonly Resource[]): Generator<Finding> {
  for (const [i, resource] of resources.entries()) {
    yield* checkName(resource, resources.slice(0, i), i)
    yield* checkAuthority(resource, i)
    if (!isHttp(resource)) continue
    yield* checkMatch(resource, resources, i)
    yield* checkUpstream(resource, i)
    yield* checkCredential(resource, i)
    yield* checkReadRoutes(resource, i)
  }
}

function* checkName(
  { name }: Resource,
  earlier: readonly Resource[],
  i: number,
): Generator<Finding> {
  if (name === gatewayItself)
    yield {
      path: ['resources', i, 'name'],
      message: `${gatewayItself} is the gateway itself: rules about it are about keys, exports and policies.`,
      remedy: 'Give the resource another name.',
    }
  if (earlier.some((other) => other.name === name))
    yield {
      path: ['resources', i, 'name'],
      message: `Another resource is called ${name}.`,
      remedy: 'Policies and the audit log mean a resource by its name: give each its own.',
    }
}

/** Every request has to belong to exactly one resource, in whatever order the file lists them. */
function* checkMatch(
  { match }: HttpResource,
  resources: readonly Resource[],
  i: number,
): Generator<Finding> {
  const path = ['resources', i, 'match']
  const clash = resources.find(
    (other, j) =>
      i !== j &&
      isHttp(other) &&
      covers(other.match, match) &&
      (j < i || !covers(match, other.match)),
  )
  if (clash)
    yield {
      path,
      message: `These requests are for the resource ${clash.name} already.`,
      remedy: 'Use a host or prefix of its own for each resource; no prefix may lie below another.',
    }
  if ('prefix' in match && covers({ prefix: '/access' }, match))
    yield {
      path,
      message: 'Below /access, agents ask for the state of their approvals.',
      remedy: 'Choose another prefix.',
    }
}

type Match = HttpResource['match']

function covers(wide: Match, narrow: Match): boolean {
  if ('host' in wide) return 'host' in narrow && wide.host === narrow.host
  return 'prefix' in narrow && `${narrow.prefix}/`.startsWith(`${wide.prefix}/`)
}

function* checkUpstream({ upstream }: HttpResource, i: number): Generator<Finding> {
  const { username, password, search, hash } = new URL(upstream)
  if (username || password || search || hash)
    yield {
      path: ['resources', i, 'upstream'],
      message: 'An upstream is a scheme, a host, a port and a path, and nothing else.',
      remedy: 'Take user name, password, query and fragment out; a password belongs in credential.',
    }
}

function* checkAuthority({ ca }: Resource, i: number): Generator<Finding> {
  if (ca !== undefined && !readable(ca))
    yield {
      path: ['resources', i, 'ca'],
      message: 'The certificate file cannot be read.',
      remedy: 'Check the path, which is relative to this file, and its permissions.',
    }
}

function readable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** Headers that frame a message or name its target, and those that the gateway sets itself. */
const reserved =
  /^(host|connection|content-length|transfer-encoding|keep-alive|te|trailer|upgrade|expect|proxy-.*|sallyport-.*)$/i

// RFC 9110, §5.1 and §5.5. A value with a line break would add further headers.
const headerName = /^[\w!#$%&'*+.^`|~-]+$/
const headerValue = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/

function* checkCredential({ credential }: HttpResource, i: number): Generator<Finding> {
  if (!credential) return
  if (!headerName.test(credential.header) || reserved.test(credential.header))
    yield {
      path: ['resources', i, 'credential', 'header'],
      message: 'This header cannot carry a credential.',
      remedy: 'Use Authorization, or the header that the upstream asks for, such as X-Api-Key.',
    }
  if (!headerValue.test(credential.value))
    yield {
      path: ['resources', i, 'credential', 'value'],
      message: 'The value has characters that a header cannot carry.',
      remedy: 'Look for a line break, a blank at either end, and letters outside ASCII.',
    }
}

function* checkReadRoutes({ read }: HttpResource, i: number): Generator<Finding> {
  for (const [j, route] of read.entries()) {
    if (!canMatch(route))
      yield {
        path: ['resources', i, 'read', j],
        message: 'This route can never match.',
        remedy:
          'Write the path as it is sent: no query, %, \\, // or dot segments. Close all brackets.',
      }
  }
}
