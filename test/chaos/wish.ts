/** What an agent wanted, and every answer that it got. */
export interface Wish {
  /** In everything that is sent for it. */
  readonly word: string
  readonly kind: 'note' | 'held' | 'toggled' | 'sql'
  readonly salt: string
  /** What has to arrive, if anything does. */
  readonly body: string
  readonly told: Told[]
  /** Whether each of its requests was begun, and answered, while the rule that denies it was in force. */
  denied: boolean
}

export interface Told {
  /** `null`: no answer, or half of one. */
  readonly status: number | null
  readonly code: string | null
  readonly action: string | null
}

/** Which rule is in force for what is toggled: an even number while it holds, an odd one while it denies, and everybody knows. `NaN` in between. */
export interface Toggle {
  phase: number
}
