import type { Adapter, AdapterConstructor, AdapterPayload } from 'oidc-provider'

/** Where the demo identity provider keeps logins and codes: in memory, so that they end with it. */
export function inMemory(): AdapterConstructor {
  const all = new Map<string, AdapterPayload>()

  return class MemoryAdapter implements Adapter {
    readonly #model: string

    constructor(model: string) {
      this.#model = model
    }

    async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
      all.set(this.#key(id), payload)
      if (expiresIn !== undefined) {
        setTimeout(() => all.delete(this.#key(id)), expiresIn * 1000).unref()
      }
    }

    async find(id: string): Promise<AdapterPayload | undefined> {
      return all.get(this.#key(id))
    }

    async findByUid(uid: string): Promise<AdapterPayload | undefined> {
      return this.#first((payload) => payload.uid === uid)
    }

    async findByUserCode(code: string): Promise<AdapterPayload | undefined> {
      return this.#first((payload) => payload.userCode === code)
    }

    async consume(id: string): Promise<void> {
      const payload = all.get(this.#key(id))
      if (payload) payload['consumed'] = Math.floor(Date.now() / 1000)
    }

    async destroy(id: string): Promise<void> {
      all.delete(this.#key(id))
    }

    async revokeByGrantId(grant: string): Promise<void> {
      for (const [key, { grantId }] of all) if (grantId === grant) all.delete(key)
    }

    #key(id: string): string {
      return `${this.#model} ${id}`
    }

    #first(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
      for (const [key, payload] of all) {
        if (key.startsWith(`${this.#model} `) && matches(payload)) return payload
      }
      return undefined
    }
  }
}
