import { visible } from '../text/invisible.ts'
import { amount } from '../text/amount.ts'
import { measureName, roundUp, type Bar, type Measure } from '../state/usage-chart.ts'

interface BarChartProps {
  bars: readonly Bar[]
  /** In the order of the series; `null`: all others. */
  names: readonly (string | null)[]
  measure: Measure
  /** Milliseconds that a bar stands for. */
  step: number
}

/** Series from here on share a colour. */
const colours = 6
const height = 100

export const colourOf = (series: number, name: string | null) =>
  name === null || series >= colours ? 'series-rest' : `series-${series + 1}`

const day = 86_400_000

function timeOf(at: number, step: number): string {
  return new Date(at).toLocaleString(
    'en',
    step >= day
      ? { dateStyle: 'medium' }
      : { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' },
  )
}

/**
 * Stacked bars over time. What they say stands in the table below, for whoever does not see them.
 */
export function BarChart({ bars, names, measure, step }: BarChartProps) {
  const top = roundUp(Math.max(...bars.map(({ sum }) => sum)))
  const last = bars.at(-1)
  return (
    <figure class="chart">
      <div class="chart-axis" aria-hidden="true">
        <span>{amount(top, measure)}</span>
        <span>{amount(top / 2, measure)}</span>
        <span>0</span>
      </div>
      <svg
        viewBox={`0 0 ${bars.length} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${measureName(measure)} over time; the table below has the numbers`}
      >
        <path class="chart-lines" d={`M0 0H${bars.length}M0 ${height / 2}H${bars.length}`} />
        {bars.map(({ at, pieces, sum }, i) => {
          let below = 0
          return (
            <g key={at}>
              <title>
                {`${timeOf(at, step)}: ${amount(sum, measure)}\n${pieces
                  .map(({ series, value }) => {
                    const name = names[series] ?? null
                    return `${name === null ? 'others' : visible(name)}: ${amount(value, measure)}`
                  })
                  .join('\n')}`}
              </title>
              <rect class="chart-place" x={i} y={0} width={1} height={height} />
              {pieces.map(({ series, value }) => {
                const size = (value / top) * height
                below += size
                return (
                  <rect
                    class={colourOf(series, names[series] ?? null)}
                    x={i + 0.1}
                    y={height - below}
                    width={0.8}
                    height={size}
                  />
                )
              })}
            </g>
          )
        })}
      </svg>
      <div class="chart-times" aria-hidden="true">
        <span>{bars[0] && timeOf(bars[0].at, step)}</span>
        <span>{last && timeOf(last.at, step)}</span>
      </div>
    </figure>
  )
}
