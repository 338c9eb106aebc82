import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Digest } from "../../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import type { ServeOptions } from "../../../src/serve/serve-options.ts";
import { type RunningRegistry, startRegistry } from "../../../src/serve/server.ts";
import { type Clock, SYSTEM_CLOCK } from "../../../src/util/time/clock.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Request {
  readonly headers?: Readonly<Record<string, string>>;
  /** An array goes out chunked, without a length. */
  readonly body?: Uint8Array | string | readonly Uint8Array[];
}

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-serve-"));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function start(
  options: Partial<ServeOptions> = {},
  clock: Clock = SYSTEM_CLOCK,
): Promise<RunningRegistry> {
  const registry = await startRegistry({ store: options.store ?? (await makeFolder()), ...options }, clock);
  onTestFinished(async () => await registry.close());
  return registry;
}

/** Where its first address listens. */
export function addressOf({ url }: Pick<RunningRegistry, "url">): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** The path goes out as it stands: no client tidies it up. Any certificate is accepted. */
export async function send(
  registry: Pick<RunningRegistry, "url">,
  method: string,
  path: string,
  { headers = {}, body }: Request = {},
): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    const length =
      body === undefined || Array.isArray(body) ? {} : { "content-length": String(Buffer.byteLength(body as string)) };
    const isTls = registry.url.startsWith("https:");
    const target = { ...addressOf(registry), rejectUnauthorized: false };
    const options = { ...target, method, path, headers: { ...length, ...headers } };
    const outgoing = (isTls ? tlsRequest : request)(options, incoming => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(parts) }),
      );
      incoming.on("error", reject);
    });
    outgoing.on("error", reject);
    if (Array.isArray(body)) for (const part of body as readonly Uint8Array[]) outgoing.write(part);
    else if (body !== undefined) outgoing.write(body);
    outgoing.end();
  });
}

export function digestOf(bytes: Uint8Array | string, algorithm: "sha256" | "sha512" = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Pushes a blob in one request. */
export async function pushBlob(registry: RunningRegistry, name: string, bytes: Uint8Array | string): Promise<Digest> {
  const digest = digestOf(bytes);
  const reply = await send(registry, "POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: bytes });
  if (reply.status !== 201) throw new Error(`blob push: status ${reply.status} ${reply.body.toString()}`);
  return digest;
}

/** @returns the session's path */
export async function startUpload(registry: RunningRegistry, name: string, query = ""): Promise<string> {
  const { status, headers } = await send(registry, "POST", `/v2/${name}/blobs/uploads/${query}`);
  if (status !== 202 || headers.location === undefined) throw new Error(`upload: status ${status}`);
  return headers.location;
}

export function descriptor(mediaType: string, bytes: Uint8Array | string): object {
  return { mediaType, digest: digestOf(bytes), size: Buffer.byteLength(bytes) };
}

/** A manifest with one layer; `more` adds or replaces fields. */
export function imageManifest(config: string, layer: string, more: object = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, config),
    layers: [descriptor(OCI_LAYER_GZIP, layer)],
    ...more,
  });
}

export async function putManifest(
  registry: RunningRegistry,
  path: string,
  body: string,
  type: string = OCI_MANIFEST,
): Promise<Reply> {
  return await send(registry, "PUT", path, { headers: { "content-type": type }, body });
}

/** Pushes a small image with its blobs. @returns its manifest */
export async function pushImage(
  registry: RunningRegistry,
  name: string,
  tag: string,
  { config = "{}", layer = "layer", ...more }: { config?: string; layer?: string } & Record<string, unknown> = {},
): Promise<string> {
  await pushBlob(registry, name, config);
  await pushBlob(registry, name, layer);
  const manifest = imageManifest(config, layer, more);
  const { status, body } = await putManifest(registry, `/v2/${name}/manifests/${tag}`, manifest);
  if (status !== 201) throw new Error(`manifest push: status ${status} ${body.toString()}`);
  return manifest;
}

export function errorCodes({ body }: Reply): string[] {
  const { errors } = JSON.parse(body.toString()) as { errors: { code: string; message: string }[] };
  return errors.map(({ code }) => code);
}

/** Sends the text as it is. @returns everything that the server sends until it closes the connection */
export async function rawReply(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let reply = "";
  socket.setEncoding("latin1").on("data", part => {
    reply += String(part);
  });
  socket.write(text, "latin1");
  await new Promise(resolve => socket.on("error", () => undefined).once("close", resolve));
  return reply;
}

/** A clock that only the test moves. `pass` also does what is due. */
export function handClock(): Clock & { pass(ms: number): void } {
  let time = 1_000_000;
  const tasks = new Set<() => void>();
  return {
    now: () => time,
    every(_ms, task) {
      tasks.add(task);
      return () => tasks.delete(task);
    },
    pass(ms) {
      time += ms;
      for (const task of tasks) task();
    },
  };
}

/** An open connection; errors end it silently. */
export async function openSocket(registry: RunningRegistry): Promise<Socket> {
  const socket = connect(addressOf(registry).port, "127.0.0.1").on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await new Promise(resolve => socket.once("connect", resolve));
  return socket;
}

/** Settles when the server has closed the connection. */
export async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise(resolve => socket.resume().once("close", resolve));
}
