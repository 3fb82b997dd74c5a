/** The parser of Node itself (llhttp): what node:http reads every message with. */
declare module 'node:_http_common' {
  export class HTTPParser {
    static readonly RESPONSE: number
    static readonly kLenientNone: number
    static readonly kOnMessageBegin: 0
    static readonly kOnHeaders: 1
    static readonly kOnHeadersComplete: 2
    static readonly kOnBody: 3
    static readonly kOnMessageComplete: 4

    /** `resource` names the parser to async hooks. */
    initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
    /**
     * Calls the callbacks for what is in these bytes; returns their number, or the error that ends
     * the connection.
     */
    execute(bytes: Buffer): number | Error
    /** The connection has ended. */
    finish(): Error | undefined
    /** Frees the parser; never from within one of its callbacks. */
    close(): void

    [HTTPParser.kOnMessageBegin]: () => void;
    /** Header lines beyond the first 32, and trailers. */
    [HTTPParser.kOnHeaders]: (lines: string[]) => void;
    /** 1: there is no body, whatever the head says. 2: nor is there any more HTTP. */
    [HTTPParser.kOnHeadersComplete]: (
      versionMajor: number,
      versionMinor: number,
      lines: string[] | undefined,
      method: number | undefined,
      url: string | undefined,
      status: number,
      reason: string,
      upgrade: boolean,
      shouldKeepAlive: boolean,
    ) => 0 | 1 | 2;
    [HTTPParser.kOnBody]: (bytes: Buffer) => void;
    [HTTPParser.kOnMessageComplete]: () => void
  }
}
