/** What JSON can express (RFC 8259). Numbers are IEEE 754 doubles, as in I-JSON (RFC 7493). */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

export type JsonObject = { readonly [key: string]: JsonValue }
