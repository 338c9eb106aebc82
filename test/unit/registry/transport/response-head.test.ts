import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseResponseHead, type ResponseHead } from "../../../../src/registry/transport/response-head.ts";

function parse(text: string): ResponseHead {
  return parseResponseHead(Buffer.from(text, "latin1"));
}

function withHeaders(...lines: readonly string[]): ResponseHead {
  return parse(`HTTP/1.1 200 OK\r\n${lines.map(line => `${line}\r\n`).join("")}`);
}

describe("H-01 parseResponseHead()", () => {
  test("parseResponseHead() reads status and headers, whatever the case of their names", () => {
    const head = withHeaders("Content-Length: 12", "X-Thing:\t a b \t", "Set-Cookie: a", "set-cookie: b");
    expect(head).toMatchObject({ status: 200, contentLength: 12, keepAlive: true });
    expect(head.headers.get("x-thing")).toEqual(["a b"]);
    expect(head.headers.get("set-cookie")).toEqual(["a", "b"]);
  });

  test.each([
    ["another protocol", "HTTP/2 200 OK\r\n"],
    ["no status", "HTTP/1.1 OK\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n"],
    ["a status above 599", "HTTP/1.1 600 OK\r\n"],
    ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 5\n"],
    ["bare LF inside", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n"],
    ["a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n Content-Length: 5\r\n"],
    ["a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n"],
    ["a line without colon", "HTTP/1.1 200 OK\r\nContent-Length\r\n"],
    ["an empty name", "HTTP/1.1 200 OK\r\n: 5\r\n"],
    ["NUL in a value", "HTTP/1.1 200 OK\r\nA: b\0c\r\n"],
    ["nothing", ""],
  ])("parseResponseHead() refuses %s", (_what, text) => {
    expect(() => parse(text)).toThrow(/not HTTP|malformed/);
  });

  test.each<[string, readonly string[]]>([
    ["is absent", []],
    ["stands twice", ["Content-Length: 5", "Content-Length: 5"]],
    ["stands twice, and differs", ["Content-Length: 5", "Content-Length: 6"]],
    ["is a list", ["Content-Length: 5, 5"]],
    ["is signed", ["Content-Length: +5"]],
    ["is negative", ["Content-Length: -5"]],
    ["is hexadecimal", ["Content-Length: 0x5"]],
    ["is no safe number", ["Content-Length: 9007199254740993"]],
    ["is empty", ["Content-Length:"]],
    ["stands beside Transfer-Encoding", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["stands beside Content-Encoding", ["Content-Length: 5", "Content-Encoding: gzip"]],
  ])("parseResponseHead() trusts no length that %s", (_what, lines) => {
    expect(withHeaders(...lines).contentLength).toBeUndefined();
  });

  test("parseResponseHead() takes identity for no encoding", () => {
    expect(withHeaders("Content-Length: 5", "Content-Encoding: Identity").contentLength).toBe(5);
  });

  test.each([
    ["HTTP/1.1 200 OK\r\n", true],
    ["HTTP/1.1 200\r\n", true],
    ["HTTP/1.0 200 OK\r\n", false],
    ["HTTP/1.1 200 OK\r\nConnection: Close\r\n", false],
    ["HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", true],
  ])("parseResponseHead() tells whether %j keeps the connection", (text, keepAlive) => {
    expect(parse(text).keepAlive).toBe(keepAlive);
  });

  test("parseResponseHead() gives back any header that a server may send", () => {
    const name = fc
      .stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
      .filter(text => !/^(content|transfer|connection)/.test(text));
    const value = fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), fc.nat(2 ** 40), (headers, length) => {
        const head = withHeaders(...headers.map(([key, text]) => `${key}: ${text}`), `content-length: ${length}`);
        expect(head.contentLength).toBe(length);
        for (const [key] of headers) {
          expect(head.headers.get(key)).toEqual(headers.filter(([other]) => other === key).map(([, text]) => text));
        }
      }),
      { numRuns: 100 },
    );
  });

  test("parseResponseHead() never fails otherwise than with its own words", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          parseResponseHead(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n"), bytes]));
        } catch (error) {
          expect(String(error)).toMatch(/malformed header line|not HTTP/);
        }
      }),
      { numRuns: 200 },
    );
  });
});
