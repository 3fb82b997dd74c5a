import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { TestGateway } from '../support/gateway.ts'

const soon = { timeout: 60_000, interval: 50 }

/** A file with the rules of a gateway that runs, in the hands of somebody who edits it. */
export class PolicyFile {
  readonly #gateway: TestGateway
  readonly #name: string

  constructor(gateway: TestGateway, name = 'crm.yaml') {
    this.#gateway = gateway
    this.#name = name
  }

  /** The hash of the policies that decide now. */
  async inForce(): Promise<string> {
    const response = await this.#gateway.person('dana', '/api/policies')
    return ((await response.json()) as { hash: string }).hash
  }

  write(text: string): void {
    writeFileSync(join(this.#gateway.folder, 'policies', this.#name), text)
  }

  /** Writes other rules than before, and waits until they decide. */
  async change(text: string): Promise<void> {
    const before = await this.inForce()
    this.write(text)
    await vi.waitFor(async () => expect(await this.inForce()).not.toBe(before), soon)
  }

  /** Writes rules that were in force before, whatever is now, and waits until they decide. */
  async restore(text: string, hash: string): Promise<void> {
    this.write(text)
    await vi.waitFor(async () => expect(await this.inForce()).toBe(hash), soon)
  }
}
