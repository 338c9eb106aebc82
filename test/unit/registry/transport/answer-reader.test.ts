// An answer, as it arrives in parts.
import { Agent, request } from "node:http";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { AnswerReader } from "../../../../src/registry/transport/answer-reader.ts";
import { rawServer } from "../http/raw-server.ts";

interface Taken {
  readonly status: number | undefined;
  readonly body: string;
  readonly isDone: boolean;
  readonly keeps: boolean;
  /** Bytes after the answer. */
  readonly rest: number;
  readonly code?: string;
}

/** @param sizes of the parts, the last one again and again. */
function take(text: string, sizes: readonly number[] = [text.length], isHead = false): Taken {
  const bytes = Buffer.from(text, "latin1");
  let status: number | undefined;
  let body = "";
  const reader = new AnswerReader(isHead, {
    onHead: head => {
      status = head.status;
    },
    onInterim: () => undefined,
    onPart: part => {
      body += Buffer.from(part).toString("latin1");
    },
  });
  let at = 0;
  const result = (code?: string): Taken => {
    const { isDone, keepsConnection: keeps } = reader;
    return { status, body, isDone, keeps, rest: bytes.length - at, ...(code === undefined ? {} : { code }) };
  };
  try {
    for (let index = 0; at < bytes.length && !reader.isDone; index += 1) {
      const part = bytes.subarray(at, at + (sizes[Math.min(index, sizes.length - 1)] ?? 1));
      at += reader.take(Buffer.from(part));
    }
    reader.end();
    return result();
  } catch (error) {
    return result((error as { code?: string }).code);
  }
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const GOOD: Readonly<Record<string, readonly [text: string, expected: Partial<Taken>]>> = {
  "an announced length": [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    { status: 200, body: "hello", keeps: true },
  ],
  "no length": ["HTTP/1.1 200 OK\r\n\r\nhello", { body: "hello", keeps: false }],
  "HTTP/1.0": ["HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", { body: "hello", keeps: false }],
  "Connection: close": [
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    { body: "hello", keeps: false },
  ],
  chunks: [`${CHUNKED}3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n`, { body: "hello", keeps: true }],
  "204": ["HTTP/1.1 204 No Content\r\n\r\n", { status: 204, body: "", keeps: true }],
  "304 with a length": ["HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", { body: "", keeps: true }],
  "interim answers": [
    "HTTP/1.1 102 Busy\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    { status: 201, body: "", keeps: true },
  ],
};

describe("AnswerReader", () => {
  test.each(Object.entries(GOOD))("reads %s, however it is cut", (_name, [text, expected]) => {
    const whole = take(text);
    expect(whole).toMatchObject({ ...expected, isDone: true, rest: 0 });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), sizes => {
        expect(take(text, sizes)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test("reads no body of an answer to HEAD, whatever it announces", () => {
    const text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    expect(take(text, [7], true)).toMatchObject({ status: 200, body: "", isDone: true, keeps: true });
  });

  test("leaves what comes after the answer", () => {
    expect(take("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n")).toMatchObject({
      body: "ok",
      rest: 17,
    });
  });

  test.each([
    ["an LF-only head", "HTTP/1.1 429 Too Many Requests\nRetry-After: 5\n\n"],
    ["another protocol", "\u0015\u0003\u0001\u0000\u0002\u0002\u000a"],
    ["a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"],
    ["a folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok"],
    ["a control character in a header", "HTTP/1.1 200 OK\r\nA: b\u0001\r\nContent-Length: 2\r\n\r\nok"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"],
    ["a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"],
    ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["chunks twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["chunks of another encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["another encoding alone", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nok"],
    ["a bare CR in a header", "HTTP/1.1 200 OK\r\nA: b\rContent-Length: 2\r\n\r\nok"],
    ["a bare LF between headers", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\nok"],
    ["a chunk line that ends with LF alone", `${CHUNKED}2\nok\r\n0\r\n\r\n`],
    ["NUL in a chunk extension", `${CHUNKED}2;a\0\r\nok\r\n0\r\n\r\n`],
    ["a chunk size with a sign", `${CHUNKED}+2\r\nok\r\n0\r\n\r\n`],
    ["a chunk size above what a number holds", `${CHUNKED}fffffffffffff\r\n`],
    ["a chunk that is longer than its size", `${CHUNKED}2\r\nokay\r\n0\r\n\r\n`],
    ["a chunk line without an end", `${CHUNKED}1;${"x".repeat(20_000)}`],
    ["trailers without an end", `${CHUNKED}0\r\n${"a: b\r\n".repeat(10_000)}`],
  ])("refuses %s, however it is cut", (_name, text) => {
    for (const sizes of [[text.length], [1], [7]]) expect(take(text, sizes).code).toMatch(/^HPE_/);
  });

  test("refuses endless headers, endless interim answers, and another protocol", () => {
    expect(take(`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(10_000)}`, [1000]).code).toBe("HPE_HEADER_OVERFLOW");
    expect(take("HTTP/1.1 102 Busy\r\n\r\n".repeat(300)).code).toBe("EINTERIM");
    expect(take("HTTP/1.1 101 Switching Protocols\r\n\r\n").code).toBe("EUPGRADE");
  });

  test("reads good answers as Node's own client does", async () => {
    const agent = new Agent();
    onTestFinished(() => agent.destroy());
    for (const [text, { status = 200, body }] of Object.values(GOOD)) {
      const server = await rawServer(socket => void socket.once("data", () => socket.end(Buffer.from(text, "latin1"))));
      const found = await new Promise<readonly [number | undefined, string]>((resolve, reject) => {
        const asking = request(server.url, { agent }, answer => {
          let read = "";
          answer.on("data", part => {
            read += part;
          });
          answer.on("end", () => resolve([answer.statusCode, read]));
        });
        asking.on("error", reject);
        asking.end();
      });
      expect(found).toEqual([text.includes("304") ? 304 : status, body]);
    }
  });
});
