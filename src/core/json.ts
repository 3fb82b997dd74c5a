/** What RFC 8259 can carry. Numbers are IEEE 754 doubles, as in RFC 7493 (I-JSON). */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

export type JsonObject = { readonly [key: string]: JsonValue }
