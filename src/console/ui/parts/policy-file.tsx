import { useEffect, useMemo } from 'preact/hooks'
import { visible } from '../text/invisible.ts'
import { yamlRows } from '../text/yaml.ts'
import { Data } from './data.tsx'
import { Lines } from './lines.tsx'

interface PolicyFileProps {
  file: string
  text: string
  /** The line that is meant, from 1. */
  marked: number | null
}

/** A policy file as it was loaded, with the line numbers that explanations and the log name. */
export function PolicyFile({ file, text, marked }: PolicyFileProps) {
  const rows = useMemo(() => yamlRows(text), [text])
  useEffect(() => {
    document.querySelector('.row.marked')?.scrollIntoView({ block: 'center' })
  }, [marked])
  return (
    <section class="policy-file" aria-label={visible(file)}>
      <h2>
        <Data text={file} />
      </h2>
      <Lines rows={rows} kind="yaml" {...(marked !== null && { marked })} />
    </section>
  )
}
