import { qualified } from './names.ts'
import type { Catalogue, CatalogueData, NamedType, Relation, Standing } from './statement.ts'

/** A catalogue in memory. */
export class CatalogueSnapshot implements Catalogue {
  readonly data: CatalogueData
  readonly #schemas: ReadonlySet<string>

  constructor(data: CatalogueData) {
    this.data = data
    this.#schemas = new Set(data.schemas)
  }

  get version(): number {
    return this.data.version
  }

  relation(schema: string, name: string): Relation | null {
    return this.data.relations.get(qualified(schema, name)) ?? null
  }

  routine(schema: string, name: string): Standing {
    return this.data.routines.get(qualified(schema, name)) ?? 'none'
  }

  operator(schema: string, name: string): Standing {
    return this.data.operators.get(qualified(schema, name)) ?? 'none'
  }

  type(schema: string, name: string): Standing {
    return this.data.types.get(qualified(schema, name)) ?? 'none'
  }

  typeOf(oid: number): NamedType | null {
    return this.data.typesByOid.get(oid) ?? null
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name)
  }
}
