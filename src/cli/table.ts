import { visible } from '../core/visible.ts'

/**
 * Rows under headings, with columns as wide as their widest cell. Cells are made visible; `null` is
 * a dash.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): string {
  const cells = [headings, ...rows.map((row) => row.map((cell) => visible(cell ?? '-')))]
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  return cells
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
