import { isAbsolute, relative } from 'node:path'

/** A path as a person in this folder would write it: relative when it is below, else as it is. */
export function shortPath(path: string, folder: string): string {
  const inside = relative(folder, path)
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? path : inside
}
