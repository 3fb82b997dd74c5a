import type { Action, Attribute } from '../core/action.ts'
import { ActionView, SubjectView } from './cel/views.ts'
import type { Namespace } from './attributes.ts'
import { readings, type Reading } from './readings.ts'

/**
 * What was found out about an action before deciding, by group and name:
 * `{ impact: { rows: 1200 } }`.
 */
export type Facts = Readonly<Record<string, Readonly<Record<string, Attribute>>>>

export const noFacts: Facts = {}

/**
 * One evaluation: the action, the facts, and what several rules would otherwise derive from them
 * again and again.
 */
export class Input {
  readonly action: Action
  readonly facts: Facts

  // Each is set on first use, by its getter alone.
  #actionView: ActionView | undefined
  #subjectView: SubjectView | undefined
  #exactPath: readonly Reading[] | null | undefined
  #readings: readonly Reading[] | null | undefined

  constructor(action: Action, facts: Facts) {
    this.action = action
    // What the protocol has found out goes with the action, into the approval too: what was decided
    // by it is reviewed by the same.
    const { impact, usage } = action.attributes
    this.facts =
      impact || usage ? { ...(impact && { impact }), ...(usage && { usage }), ...facts } : facts
  }

  attribute(namespace: Namespace, name: string): Attribute | undefined {
    return this.action.attributes[namespace]?.[name]
  }

  get actionView(): ActionView {
    return (this.#actionView ??= new ActionView(this.action))
  }

  get subjectView(): SubjectView {
    return (this.#subjectView ??= new SubjectView(this.action.subject))
  }

  /** The path as it is forwarded, or `null` where there is none. */
  get exactPath(): readonly Reading[] | null {
    if (this.#exactPath === undefined) {
      const path = this.attribute('http', 'path')
      this.#exactPath = typeof path === 'string' ? [path.split('/')] : null
    }
    return this.#exactPath
  }

  /** Every way in which an upstream may read the path, or `null` where it cannot be told. */
  get readings(): readonly Reading[] | null {
    if (this.#readings === undefined) this.#readings = readings(this.attribute('http', 'path'))
    return this.#readings
  }
}
