/**
 * Emscripten's factory, which libpg-query ships without types: it makes an instance of the parser
 * that can be thrown away.
 */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface PgQueryModule {
    _malloc(bytes: number): number
    _free(pointer: number): void
    _wasm_parse_query_raw(text: number): number
    _wasm_free_parse_result(result: number): void
    _wasm_scan(text: number): number
    _wasm_free_string(text: number): void
    lengthBytesUTF8(text: string): number
    stringToUTF8(text: string, pointer: number, bytes: number): void
    UTF8ToString(pointer: number): string
    getValue(pointer: number, type: 'i32'): number
  }

  export interface PgQueryOptions {
    print?(line: string): void
    printErr?(line: string): void
  }

  export default function PgQueryModule(options?: PgQueryOptions): Promise<PgQueryModule>
}
