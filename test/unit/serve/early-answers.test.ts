import { expect, onTestFinished, test } from "vitest";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { watchOperations } from "../../../src/util/operation-hook.ts";
import { addressOf, digestOf, openSocket, pushBlob, rawReply, send, start, startUpload } from "./registry-client.ts";

const BODY_BYTES = 100_000_000;

function failWritesWith(code: string): void {
  onTestFinished(() => watchOperations(undefined));
  watchOperations(async (operation, run) => {
    if (operation.kind === "write") throw Object.assign(new Error(code), { code });
    return await run();
  });
}

test("an answer that comes before the end of the body reaches the client, and the connection ends", async () => {
  const registry = await start();
  const [first, second, third] = [
    await startUpload(registry, "app"),
    await startUpload(registry, "app"),
    await startUpload(registry, "app"),
  ];
  const digest = await pushBlob(registry, "app", "hello");
  failWritesWith("ENOSPC");
  const uploads = "/v2/app/blobs/uploads/";
  const cases: readonly (readonly [request: string, headers: string, status: number])[] = [
    [`POST ${uploads}?digest=${digestOf("x")}`, "", 507],
    [`PATCH ${first}`, "Content-Range: 7-9\r\n", 416],
    [`PATCH ${second}`, "Content-Range: x\r\n", 400],
    [`PUT ${third}?digest=md5:x`, "", 400],
    [`PATCH ${uploads}unknown`, "", 404],
    [`POST ${uploads}`, "Origin: http://evil.example\r\n", 403],
    ["PUT /v2/app/manifests/1", `Content-Type: ${OCI_MANIFEST}\r\n`, 413],
    [`DELETE /v2/app/blobs/${digestOf("absent")}`, "", 404],
    [`HEAD /v2/app/blobs/${digest}`, "", 200],
    ["PATCH /v2/app/tags/list", "", 405],
    ["PATCH /elsewhere", "", 404],
  ];
  const part = "x".repeat(1_000_000);
  const replies = cases.map(async ([line, headers]) => {
    const head = `${line} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: ${BODY_BYTES}\r\n\r\n`;
    return await rawReply(addressOf(registry).port, `${head}${part}`);
  });
  for (const [index, reply] of (await Promise.all(replies)).entries()) {
    const [line = "", , status] = cases[index] ?? [];
    expect(reply, line).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(reply, line).toMatch(/\r\nconnection: close\r\n/i);
  }
});

test("a client that sends its whole body before it reads gets the answer, and not a reset", async () => {
  const registry = await start();
  failWritesWith("EDQUOT");
  const path = `/v2/app/blobs/uploads/?digest=${digestOf("x")}`;
  expect((await send(registry, "POST", path, { body: Buffer.alloc(16 * 1024 * 1024) })).status).toBe(507);
});

test("an answer after the whole body keeps the connection", async () => {
  const registry = await start();
  const socket = await openSocket(registry);
  const request = "POST /v2/app/blobs/uploads/?digest=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
  for (let count = 0; count < 3; count += 1) {
    socket.write(request);
    const [reply] = (await new Promise(resolve => socket.once("data", (...data) => resolve(data)))) as Buffer[];
    expect(String(reply)).toMatch(/^HTTP\/1.1 400 /);
    expect(String(reply)).not.toMatch(/connection: close/i);
  }
});

test("too many open files are 503, and the client may come back", async () => {
  const registry = await start();
  failWritesWith("EMFILE");
  const path = `/v2/app/blobs/uploads/?digest=${digestOf("x")}`;
  const reply = await send(registry, "POST", path, { body: "x" });
  expect([reply.status, reply.headers["retry-after"]]).toEqual([503, "1"]);
});
