import { visible } from '../../core/visible.ts'
import type { Answer } from './collect.ts'
import type { Control } from './controls.ts'
import type { QueryName } from './queries.ts'
import type { EvidenceReport } from './report.ts'

/** How many groups and findings the page shows. All of them are in the JSON beside it. */
const shown = 20

/**
 * The report as one page of HTML that needs nothing else: no script, no picture, no network. To be
 * read, and printed. Everything that comes from the log is text there, whatever an agent wrote into
 * it.
 */
export function evidencePage(report: EvidenceReport): string {
  const { title, span, made, controls, answers } = report
  const used = [...new Set(controls.flatMap(({ shows }) => shows))]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evidence: ${text(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Evidence from the audit log</h1>
<p class="lead">${text(title)}</p>
<table class="facts">
${fact('Period', `${span.from} up to ${span.to}, by when events came into the log`)}
${fact('Made', made)}
</table>
${integrity(report)}
<h2>Controls</h2>
${controls.map((control) => controlSection(control, report)).join('\n')}
<h2>What the log says</h2>
<p>Each number is how many events of the period match. Samples are the events with the lowest hashes, so nobody can choose them; find one in the export by its id.</p>
${used.map((name) => answerSection(name, answers[name])).join('\n')}
</main>
</body>
</html>
`
}

function integrity({ verified, checkpoint, keys, file }: EvidenceReport): string {
  const { ok, lines, erased, retained, signed, findings } = verified
  const verdict =
    ok && signed
      ? `<p class="good">The verifier found nothing changed, removed, added or moved. These are the events of the log of ${signed.size} events that was signed${signed.time ? ` at ${text(signed.time)}` : ''}.</p>`
      : '<p class="bad">This export is not what was recorded. Nothing below can be relied on before that is explained.</p>'
  const rows = findings
    .slice(0, shown)
    .map(
      ({ line, kind, message }) =>
        `<tr><td>${line}</td><td>${text(kind)}</td><td>${text(message)}</td></tr>`,
    )
  return `<h2>Integrity of the log</h2>
${verdict}
<table class="facts">
${fact('Events', `${lines}, ${erased} of them with their personal part erased, ${retained} kept elsewhere: only their hashes are here`)}
${fact('Findings', String(findings.length))}
</table>
${rows.length > 0 ? `<table><tr><th>Line</th><th>Finding</th><th>What it means</th></tr>${rows.join('')}</table>` : ''}
<p>The signed checkpoint:</p>
<pre>${lined(checkpoint)}</pre>
<p>It was verified with the keys that the log itself names. Whether they are the right ones shows only when they are compared with keys that were kept elsewhere:</p>
<pre>${lined(keys.join('\n'))}</pre>
<p>Check it yourself, without the gateway and its database: run <code>sallyport audit verify ${text(file)} --key KEY</code> with a key that you kept, or the script in <code>examples/verify</code>, which shares no code with Sallyport.</p>`
}

function controlSection(control: Control, { answers }: EvidenceReport): string {
  const { id, title, supports, shows, elsewhere } = control
  const rows = shows.map((name) => {
    const { title: what, count } = answers[name]
    return `<tr><td><a href="#${name}">${text(what)}</a></td><td class="count">${count}</td></tr>`
  })
  return `<section>
<h3>${text(id)} ${text(title)}</h3>
<p>${text(supports)}</p>
<table><tr><th>In the log</th><th class="count">Events</th></tr>${rows.join('')}</table>
<p class="not"><strong>Not shown here:</strong> ${text(elsewhere)}</p>
</section>`
}

function answerSection(name: QueryName, { title, count, groups, samples }: Answer): string {
  const more = groups.slice(shown).reduce((sum, group) => sum + group.count, 0)
  const rows = [
    ...groups.slice(0, shown),
    ...(more > 0 ? [{ name: 'all others', count: more }] : []),
  ]
  const counted = rows.map(
    (row) => `<tr><td>${text(row.name)}</td><td class="count">${row.count}</td></tr>`,
  )
  const sampled = samples.map(
    ({ time, type, who, what, id }) =>
      `<tr><td>${text(time)}</td><td>${text(type)}</td><td>${text(who ?? '')}</td><td>${text(what)}<br><code>${text(id)}</code></td></tr>`,
  )
  return `<section id="${name}">
<h3>${text(title)}: ${count}</h3>
${
  count === 0
    ? '<p>None in this period.</p>'
    : `<table>${counted.join('')}</table>
<table class="samples"><tr><th>Time</th><th>Event</th><th>Who</th><th>What, and its id</th></tr>${sampled.join('')}</table>`
}
</section>`
}

function fact(name: string, value: string): string {
  return `<tr><th>${text(name)}</th><td>${text(value)}</td></tr>`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes text, so that it has no mark-up and no invisible characters. */
function text(value: string): string {
  return visible(value).replace(/[&<>"']/g, (character) => entities[character]!)
}

function lined(value: string): string {
  return value.split('\n').map(text).join('\n')
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1d21; background: #fff; margin: 0 }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.5rem }
h1 { font-size: 1.8rem; margin: 0 } h2 { margin: 2.2rem 0 .6rem; border-bottom: 2px solid #1a1d21 }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .3rem } .lead { font-size: 1.1rem; color: #4a5058; margin: 0 0 1rem }
p { margin: .4rem 0 } table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #d9dde2; overflow-wrap: anywhere }
th { font-weight: 600 } .facts th { width: 7rem } .count { text-align: right; width: 6rem; font-variant-numeric: tabular-nums }
.samples { font-size: .82rem } .samples td:nth-child(1) { width: 11rem } .samples td:nth-child(2) { width: 9rem } .samples td:nth-child(3) { width: 13rem }
pre, code { font: .82rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
pre { background: #f3f5f7; padding: .6rem } a { color: inherit }
.good { border-left: 4px solid #16794a; padding-left: .7rem } .bad { border-left: 4px solid #b3261e; padding-left: .7rem; font-weight: 600 }
.not { color: #4a5058 }
section { break-inside: avoid } tr { break-inside: avoid }
@media print { body { font-size: 10pt } main { padding: 0; max-width: none } }
`
