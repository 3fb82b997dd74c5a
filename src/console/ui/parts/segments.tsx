import { useId } from 'preact/hooks'

interface SegmentsProps {
  name: string
  value: string
  options: readonly (readonly [value: string, words: string])[]
  choose: (value: string) => void
}

/** One of a few that all stand there. */
export function Segments({ name, value, options, choose }: SegmentsProps) {
  const group = useId()
  return (
    <fieldset class="views">
      <legend class="sr">{name}</legend>
      {options.map(([one, words]) => (
        <label>
          <input type="radio" name={group} checked={one === value} onChange={() => choose(one)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  )
}
