import type { Attribute } from '../core/action.ts'

/** A path as segments. */
export type Reading = readonly string[]

/**
 * How upstreams may read one path: some decode percent-encoding, some ignore case, doubled slashes
 * or one at the end. A hold or deny rule matches when any of these readings does, so that spelling
 * a path differently is no way around it; an allow rule never uses them. `null` where there is no
 * path or it cannot be decoded: that may be any path.
 */
export function readings(path: Attribute | undefined): readonly Reading[] | null {
  if (typeof path !== 'string') return null
  const plain = fold(path)
  if (!path.includes('%')) return [plain]
  try {
    return [plain, fold(decodeURIComponent(path))]
  } catch {
    // Closed: it may be any path, as said above.
    return null
  }
}

export function fold(path: string): Reading {
  return path
    .toLowerCase()
    .split('/')
    .filter((segment) => segment !== '')
}
