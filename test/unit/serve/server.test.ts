import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { EXIT_CODES, NetworkError } from "../../../src/errors.ts";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { serveRegistry } from "../../../src/serve/server.ts";
import { encodeLockRecord, newClaim } from "../../../src/util/lock/lock-record.ts";
import { decodeFrames } from "../../../src/util/lock/record-frame.ts";
import {
  addressOf,
  digestOf,
  errorCodes,
  makeFolder,
  pushImage,
  rawReply,
  send,
  start,
  startUpload,
} from "./registry-client.ts";

async function failure(task: Promise<unknown>): Promise<unknown> {
  return await task.then(
    () => undefined,
    error => error,
  );
}

describe("serveRegistry()", () => {
  test("listens on loopback, on a free port, and says where", async () => {
    const registry = await start();
    expect(registry.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
    expect(registry.urls).toEqual([registry.url]);
    const { status, headers, body } = await send(registry, "GET", "/v2/");
    expect([status, headers["content-type"], body.toString()]).toEqual([200, "application/json", "{}"]);
  });

  test("keeps everything over a restart", async () => {
    const store = await makeFolder();
    const first = await start({ store });
    const manifest = await pushImage(first, "team/app", "1.0", { subject: { ...describeSubject() } });
    await first.close();
    const second = await start({ store });
    expect((await send(second, "GET", "/v2/team/app/manifests/1.0")).body.toString()).toBe(manifest);
    expect((await send(second, "GET", `/v2/team/app/blobs/${digestOf("layer")}`)).body.toString()).toBe("layer");
    expect((await send(second, "GET", "/v2/team/app/tags/list")).body.toString()).toContain('"1.0"');
    const referrers = await send(second, "GET", `/v2/team/app/referrers/${describeSubject().digest}`);
    expect(referrers.body.toString()).toContain(digestOf(manifest));
  });

  test("starts although an entry of the uploads has a name like ours and is no file, and says what it passes over", async () => {
    const store = await makeFolder();
    await (await start({ store })).close();
    const folder = join(store, "uploads", "imgpack-upload-7f7a1b9e-0000-4000-8000-000000000000");
    await mkdir(folder);
    await writeFile(join(folder, "notes.txt"), "not ours");
    const link = join(store, "uploads", "imgpack-upload-7f7a1b9e-0000-4000-8000-000000000001");
    await symlink("nothing", link);
    const events: ServeEvent[] = [];
    await start({ store, onEvent: event => events.push(event) });
    const messages = [folder, link].map(path => `"${path}" stays: it is no file, so this server did not write it`);
    expect(events).toEqual(messages.map(message => ({ kind: "note", message })));
    expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("not ours");
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  test("removes what a killed server left of its uploads, and nothing else", async () => {
    const store = await makeFolder();
    const first = await start({ store });
    await pushImage(first, "app", "1");
    await first.close();
    await writeFile(join(store, "uploads", "imgpack-upload-7f7a1b9e-0000-4000-8000-000000000000"), "half a blob");
    const others = ["7f7a1b9e-0000-4000-8000-000000000000", "notes.txt"];
    for (const name of others) await writeFile(join(store, "uploads", name), "not ours");
    const second = await start({ store });
    expect((await readdir(join(store, "uploads"))).sort()).toEqual(others);
    expect((await send(second, "GET", "/v2/app/manifests/1")).status).toBe(200);
  });

  test("ignores a repository folder without a name and a tag whose manifest is gone", async () => {
    const store = await makeFolder();
    const first = await start({ store });
    const manifest = await pushImage(first, "app", "1");
    await first.close();
    const repositories = join(store, "repositories");
    const [folder = ""] = await readdir(repositories);
    await mkdir(join(repositories, "f".repeat(64), "blobs"), { recursive: true });
    await rm(join(repositories, folder, "manifests", digestOf(manifest).replace(":", "-")));
    const second = await start({ store });
    expect((await send(second, "GET", "/v2/app/manifests/1")).status).toBe(404);
  });

  test("S-03 no name from the network becomes a file name", async () => {
    const store = await makeFolder();
    const registry = await start({ store });
    await pushImage(registry, "visible-name/app", "visible-tag");
    await startUpload(registry, "visible-name/app");
    const paths = await readdir(store, { recursive: true });
    expect(paths.filter(path => /visible|app\b/.test(path))).toEqual([]);
    const [name = ""] = paths.filter(path => path.endsWith("name"));
    expect(await readFile(join(store, name), "utf8")).toContain('{"name":"visible-name/app"}\n');
  });

  test("refuses a store in use", async () => {
    const store = await makeFolder();
    await start({ store });
    expect(String(await failure(serveRegistry({ store })))).toContain(`store in use by process ${process.pid}`);
  });

  // Only Linux tells when a process started.
  test.runIf(process.platform === "linux")(
    "takes over the lock of a process that ended, not of one that runs",
    async () => {
      const store = await makeFolder();
      await (await start({ store })).close();
      const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
      await new Promise(resolve => child.once("spawn", resolve));
      const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim().replaceAll("-", "");
      const stat = await readFile(`/proc/${child.pid}/stat`, "utf8");
      const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
      const own = await newClaim();
      const claim = (at: number): Uint8Array =>
        encodeLockRecord({ ...own, pid: child.pid ?? 0, started: { boot, ticks: at } });
      await writeFile(join(store, "lock"), claim(ticks));
      expect(String(await failure(serveRegistry({ store })))).toContain(`in use by process ${child.pid}`);
      await writeFile(join(store, "lock"), claim(1));
      await (await start({ store })).close();
      await writeFile(join(store, "lock"), claim(ticks));
      child.stdin.end();
      await new Promise(resolve => child.once("exit", resolve));
      await start({ store });
    },
  );

  test("names the port when it is taken, and gives the store free", async () => {
    const { url } = await start();
    const store = await makeFolder();
    const error = await failure(serveRegistry({ store, listen: new URL(url).host }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(String(error)).toContain(new URL(url).host);
    await start({ store });
  });

  test.each([
    ["no.such.invalid:0", /^Cannot serve registry on "no\.such\.invalid:0": (unknown host|no answer)/],
    ["192.0.2.1:5000", /"192\.0\.2\.1:5000": address of another machine, expected an address of this machine$/],
  ])("says in words why it cannot listen on %s", async (listen, message) => {
    const error = await failure(serveRegistry({ store: await makeFolder(), listen }));
    expect(error).toMatchObject({ code: "ERR_NETWORK", message: expect.stringMatching(message) });
  });

  test.each(["", "a\0b"])("refuses %j as its store before it does anything", async store => {
    const error = await failure(serveRegistry({ store }));
    expect(error).toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining("expected the path of a folder"),
    });
  });

  test("closes when its signal aborts, and cuts an upload that is under way", async () => {
    const store = await makeFolder();
    const stop = new AbortController();
    const registry = await start({ store, signal: stop.signal });
    const path = await startUpload(registry, "app");
    const socket = connect(addressOf(registry).port, addressOf(registry).host);
    socket.write(`PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc`);
    await send(registry, "GET", path);
    stop.abort();
    await new Promise(resolve => socket.on("error", () => undefined).once("close", resolve));
    await registry.close();
    expect(await readdir(store)).not.toContain("lock");
    expect(await readdir(join(store, "uploads"))).toEqual([]);
    expect(await failure(send(registry, "GET", "/v2/"))).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("a server that lost its store while it stood still", () => {
  const loss = {
    exitCode: EXIT_CODES.storage,
    message: expect.stringMatching(/another process took it over while this one stood still, expected to own it$/),
  };

  test("answers no request anymore, cuts all connections, and ends with exit code 9", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const store = await makeFolder();
    const registry = await start({ store });
    await pushImage(registry, "app", "1");
    const idle = connect(addressOf(registry).port, addressOf(registry).host).on("error", () => undefined);
    const isCut = once(idle, "close");
    await once(idle, "connect");
    vi.advanceTimersByTime(7000);
    await send(registry, "GET", "/v2/app/manifests/1");
    const [claim] = [...decodeFrames(await readFile(join(store, "lock")))];
    await appendFile(join(store, "lock"), encodeLockRecord({ type: "release", id: claim?.id ?? "" }));
    expect(await failure(send(registry, "GET", "/v2/app/manifests/1"))).toMatchObject({ code: "ECONNRESET" });
    await expect(registry.closed).rejects.toMatchObject(loss);
    await isCut;
    expect(await failure(send(registry, "GET", "/v2/"))).toMatchObject({ code: "ECONNREFUSED" });
    await registry.close();
    expect(await readdir(store)).toContain("lock");
  });

  test("ends without a request, at its next sign of life", async () => {
    vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const store = await makeFolder();
    const registry = await start({ store });
    const closed = failure(registry.closed);
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    await rename(join(store, "lock"), join(store, "lock.old"));
    // The beat fails in the thread pool, so it takes a few turns.
    while (!isClosed) {
      vi.advanceTimersByTime(2000);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(await closed).toMatchObject(loss);
  });

  test("that was closed by its owner reports no loss", async () => {
    const registry = await start();
    await registry.close();
    expect(await registry.closed).toBeUndefined();
  });
});

describe("requests that are not the protocol's", () => {
  test("S-04 other methods are 405 and say what is allowed; nothing overrides a method", async () => {
    const registry = await start();
    await pushImage(registry, "app", "1");
    for (const [method, path, allow] of [
      ["POST", "/v2/", "GET, HEAD"],
      ["PUT", "/v2/_catalog", "GET, HEAD"],
      ["DELETE", "/v2/app/tags/list", "GET, HEAD"],
      ["PATCH", "/v2/app/manifests/1", "GET, HEAD, PUT, DELETE"],
      ["OPTIONS", `/v2/app/blobs/${digestOf("layer")}`, "GET, HEAD, DELETE"],
      ["GET", "/v2/app/blobs/uploads/", "POST"],
    ] as const) {
      const reply = await send(registry, method, path, { headers: { "x-http-method-override": "DELETE" } });
      expect([reply.status, reply.headers.allow, ...errorCodes(reply)]).toEqual([405, allow, "UNSUPPORTED"]);
      expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
    }
    const headers = { "x-http-method-override": "DELETE" };
    expect((await send(registry, "GET", "/v2/app/manifests/1", { headers })).status).toBe(200);
  });

  test("S-07 foreign hosts and web pages are refused", async () => {
    const registry = await start();
    const rebound = await send(registry, "GET", "/v2/", { headers: { host: "evil.example:5000" } });
    const page = await send(registry, "POST", "/v2/a/blobs/uploads/", { headers: { origin: "http://evil.example" } });
    for (const reply of [rebound, page]) expect([reply.status, ...errorCodes(reply)]).toEqual([403, "DENIED"]);
    expect((await send(registry, "GET", "/v2/", { headers: { host: "localhost:5000" } })).status).toBe(200);
  });

  test("S-06 smuggled and malformed requests get 400 and harm nobody else", async () => {
    const registry = await start();
    for (const text of [
      "GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /v2/ HTTP/1.1\nHost: a\n\n\u0000",
      "\u0016\u0003\u0001",
    ]) {
      expect(await rawReply(addressOf(registry).port, text)).toMatch(/^HTTP\/1.1 400 /);
    }
    expect((await send(registry, "GET", "/v2/")).status).toBe(200);
  });

  test("a request is reported without its query and upload session; a failing store is 500 and a fault", async () => {
    const events: ServeEvent[] = [];
    const store = await makeFolder();
    const registry = await start({ store, onEvent: event => events.push(event) });
    const path = await startUpload(registry, "app");
    await send(registry, "GET", `${path}?token=secret`);
    await rm(join(store, "blobs"), { recursive: true });
    await writeFile(join(store, "blobs"), "");
    const reply = await send(registry, "POST", `/v2/app/blobs/uploads/?digest=${digestOf("hello")}`, { body: "hello" });
    expect([reply.status, ...errorCodes(reply)]).toEqual([500, "UNKNOWN"]);
    expect(reply.body.toString()).not.toContain(store);
    expect(events.map(event => [event.kind, "path" in event && event.path, "method" in event && event.method])).toEqual(
      [
        ["request", "/v2/app/blobs/uploads/", "POST"],
        ["request", "/v2/app/blobs/uploads/…", "GET"],
        ["fault", "/v2/app/blobs/uploads/", "POST"],
        ["request", "/v2/app/blobs/uploads/", "POST"],
      ],
    );
    expect(JSON.stringify(events)).not.toContain("secret");
  });
});

function describeSubject(): { mediaType: string; digest: string; size: number } {
  return { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: digestOf("subject"), size: 7 };
}
