import { visible } from '../text/invisible.ts'

interface ChoiceProps {
  name: string
  /** Empty: all of them. */
  value: string
  options: readonly (readonly [value: string, words: string])[]
  choose: (value: string) => void
}

/** One of a few, or any. */
export function Choice({ name, value, options, choose }: ChoiceProps) {
  // What the address names stays selectable, whether or not there is any of it now.
  const all =
    value === '' || options.some(([one]) => one === value)
      ? options
      : [...options, [value, visible(value)] as const]
  return (
    <select aria-label={name} value={value} onChange={(event) => choose(event.currentTarget.value)}>
      <option value="">{name}: any</option>
      {all.map(([one, words]) => (
        <option value={one}>{words}</option>
      ))}
    </select>
  )
}
