import { Problem } from '../../core/errors.ts'
import type { Queryable } from '../../store/db.ts'
import { CompactRange, type Node } from './merkle.ts'

/**
 * A tile holds 2^8 hashes of one level of the tree. The tiles above it are eight levels higher
 * (C2SP tlog-tiles).
 */
const height = 8
const width = 2 ** height

/** Hashes that are appended to a tile. */
export interface TileGrowth {
  readonly level: number
  readonly index: number
  hashes: Buffer[]
}

/** What these leaves add to the tiles of a tree that has `size` leaves. */
function growTiles(size: number, leaves: readonly Buffer[]): TileGrowth[] {
  const grown = new Map<string, TileGrowth>()
  leaves.forEach((leaf, i) => {
    const at = size + i
    const index = Math.floor(at / width)
    const tile = grown.get(`${index}`) ?? { level: 0, index, hashes: [] }
    grown.set(`${index}`, tile)
    tile.hashes.push(leaf)
  })
  return [...grown.values()]
}

/**
 * Writes the growth of one level. Resolves to the tiles that are full now, each of which makes a
 * hash of the level above.
 */
async function writeLevel(tx: Queryable, tiles: readonly TileGrowth[]) {
  return tx.query<{ index: number; hashes: Buffer }>(
    `WITH grown AS (
       INSERT INTO sallyport.audit_tree_tiles AS t (level, index, hashes)
       SELECT $1, index, substring($3::bytea FROM start FOR length)
       FROM unnest($2::bigint[], $4::int[], $5::int[]) AS g (index, start, length)
       ON CONFLICT (level, index) DO UPDATE SET hashes = t.hashes || excluded.hashes
       RETURNING index, hashes)
     SELECT index, hashes FROM grown WHERE octet_length(hashes) = ${32 * width} ORDER BY index`,
    [tiles[0]!.level, ...columnsOf(tiles)],
  )
}

function columnsOf(tiles: readonly TileGrowth[]): unknown[] {
  const starts: number[] = []
  const lengths: number[] = []
  let start = 1
  for (const { hashes } of tiles) {
    starts.push(start)
    lengths.push(32 * hashes.length)
    start += 32 * hashes.length
  }
  return [
    tiles.map(({ index }) => index),
    Buffer.concat(tiles.flatMap(({ hashes }) => hashes)),
    starts,
    lengths,
  ]
}

/** Adds leaves after the first `size`, in the transaction that holds the turn. */
export async function writeTiles(
  tx: Queryable,
  size: number,
  leaves: readonly Buffer[],
): Promise<void> {
  let tiles = growTiles(size, leaves)
  while (tiles.length > 0) {
    const { level } = tiles[0]!
    const full = await writeLevel(tx, tiles)
    const above = new Map<number, TileGrowth>()
    for (const { index, hashes } of full) {
      const parent = Math.floor(index / width)
      const tile = above.get(parent) ?? { level: level + 1, index: parent, hashes: [] }
      above.set(parent, tile)
      tile.hashes.push(rootOf(hashes))
    }
    tiles = [...above.values()]
  }
}

/** The root over consecutive hashes of 32 bytes each. */
function rootOf(hashes: Buffer): Buffer {
  const range = new CompactRange(0)
  for (let at = 0; at < hashes.length; at += 32) range.append(hashes.subarray(at, at + 32))
  return range.root()
}

/** The tile, and the place in it, of the hashes that make a perfect subtree. */
function placeOf({ level, index }: Node) {
  const tileLevel = Math.floor(level / height)
  const count = 2 ** (level % height)
  const first = index * count
  return { tileLevel, tile: Math.floor(first / width), offset: first % width, count }
}

/**
 * Looks subtrees up. Resolves to a function that returns each one's hash, and throws the problem
 * `not-found` for one that the tree does not have.
 */
export async function readNodes(
  store: Queryable,
  nodes: readonly Node[],
): Promise<(node: Node) => Buffer> {
  const places = nodes.map(placeOf)
  const rows = await store.query<{ level: number; index: number; hashes: Buffer }>(
    `SELECT level, index, hashes FROM sallyport.audit_tree_tiles
     WHERE (level, index) IN (SELECT * FROM unnest($1::int[], $2::bigint[]))`,
    [places.map(({ tileLevel }) => tileLevel), places.map(({ tile }) => tile)],
  )
  const tiles = new Map(rows.map(({ level, index, hashes }) => [`${level} ${index}`, hashes]))
  return (node) => {
    const { tileLevel, tile, offset, count } = placeOf(node)
    const hashes = tiles.get(`${tileLevel} ${tile}`)?.subarray(32 * offset, 32 * (offset + count))
    if (hashes?.length !== 32 * count) {
      throw new Problem(
        'not-found',
        `The tree of the log does not have hashes that this takes (subtree ${node.index} of level ${node.level}): somebody took them away.`,
      )
    }
    return rootOf(hashes)
  }
}
