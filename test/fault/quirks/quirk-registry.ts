import type { IncomingHttpHeaders } from "node:http";
import type { MemoryRegistry, Reply } from "../../support/memory-registry.ts";
import { json, ScriptedRegistry, type SeenRequest } from "../../support/scripted-registry.ts";
import type { Personality } from "./personality.ts";

const NOTHING = Buffer.alloc(0);
const HTML = Buffer.from("<html><body><h1>413 Request Entity Too Large</h1></body></html>");
const LONG_QUERY = `upload=${"a".repeat(8 * 1024)}`;
const UPLOADS = /^\/v2\/(.+)\/blobs\/uploads\/([^?]*)/;
export const USER = { user: "ci", password: "secret" } as const;

/** A registry in memory with the ways of a personality. */
export class QuirkRegistry {
  readonly front: ScriptedRegistry;
  /** Where blobs lie, when not in front. */
  readonly storage: ScriptedRegistry;
  readonly #personality: Personality;
  readonly #right: MemoryRegistry["answer"];
  /** Bytes that each session holds, by its inner path. */
  readonly #held = new Map<string, number>();
  readonly #states = new Map<string, number>();
  readonly #firstEnds = new Map<string, string>();
  /** How often each token has been shown. */
  readonly #uses = new Map<string, number>();

  private constructor(personality: Personality, front: ScriptedRegistry, storage: ScriptedRegistry) {
    this.#personality = personality;
    this.front = front;
    this.storage = storage;
    this.#right = front.content.answer.bind(front.content);
    front.content.answer = (...request) => this.#answer(...request);
    storage.content.answer = (...request) => this.#stored(...request);
  }

  static async start(personality: Personality): Promise<QuirkRegistry> {
    const { auth } = personality;
    const options = auth === undefined ? {} : { auth: { scheme: auth, ...USER } };
    return new QuirkRegistry(personality, await ScriptedRegistry.start(options), await ScriptedRegistry.start());
  }

  /** Requests that a registry of this kind would hold against its client. */
  complaints(): readonly string[] {
    const told = (what: string, found: readonly SeenRequest[]): readonly string[] =>
      found.map(({ method, path }) => `${what}: ${method} ${path}`);
    return [
      ...told(
        "cookie",
        [...this.front.requests, ...this.storage.requests].filter(({ headers }) => headers.cookie),
      ),
      ...told(
        "credentials for storage",
        this.storage.requests.filter(({ headers }) => headers.authorization),
      ),
      ...told("right to delete asked for", this.front.seen(/scope=[^&]*delete/)),
      ...told("mount without from", this.front.seen(/[?&]mount=(?!.*from=)/)),
      ...told("chunk in Content-Range of another unit", this.front.requests.filter(isOddRange)),
      ...told("stream with Content-Range", this.front.requests.filter(isRangedStream)),
    ];
  }

  #answer(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const { cookie, tokenRequests } = this.#personality;
    const token = headers.authorization?.replace("Bearer ", "") ?? "";
    const uses = (this.#uses.get(token) ?? 0) + 1;
    this.#uses.set(token, uses);
    if (uses === tokenRequests) this.front.tokens.delete(token);
    if (cookie && headers.cookie !== undefined) return refusal(403, "FORBIDDEN", "CSRF token invalid");
    const reply = this.#plainAnswer(method, url, headers, body);
    return cookie ? { ...reply, headers: { ...reply.headers, "set-cookie": "sid=1; Path=/" } } : reply;
  }

  #plainAnswer(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    if (/\/manifests\//.test(url)) return this.#manifest(method, url, headers, body);
    if (UPLOADS.test(url) || url.startsWith("/artifacts-uploads/")) return this.#upload(method, url, headers, body);
    const { headBlob, storage, ranges, blobHeaders } = this.#personality;
    if (method === "HEAD" && headBlob !== undefined) return refusal(headBlob, "UNAUTHORIZED", "not authorized");
    const reply = this.#right(method, url, ranges === false ? {} : headers, body);
    if (reply.status >= 400) return reply;
    if (storage !== undefined) {
      return {
        status: storage.status,
        headers: { location: `${this.storage.url}${url}?X-Amz-Signature=s` },
        body: NOTHING,
      };
    }
    return { ...reply, headers: { ...reply.headers, ...blobHeaders } };
  }

  #stored(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    if (headers.authorization !== undefined) return refusal(400, "InvalidArgument", "Only one auth mechanism allowed");
    if (method !== "GET") return refusal(403, "SignatureDoesNotMatch", "signed for GET");
    return this.#right(method, url, headers, body);
  }

  #manifest(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const { headManifest, digestHeader, accept, ociOnly, manifestLength } = this.#personality;
    if (method === "HEAD" && headManifest !== undefined) return refusal(headManifest, "MANIFEST_UNKNOWN", "unknown");
    if (method === "PUT") {
      if (manifestLength && headers["content-length"] === undefined) return refusal(411, "UNSUPPORTED", "no length");
      if (ociOnly && /docker/.test(headers["content-type"] ?? "")) return refusal(415, "MANIFEST_INVALID", "type");
      for (const digest of digestsIn(body)) {
        const { blobs, manifests } = this.front.content;
        if (!blobs.has(digest) && !manifests.has(digest)) return refusal(404, "MANIFEST_BLOB_UNKNOWN", digest);
      }
    } else if (
      accept !== undefined &&
      !/vnd\.oci\.image\.index.*vnd\.|vnd\..*vnd\.oci\.image\.index/.test(headers.accept ?? "")
    ) {
      if (accept === "not-found") return refusal(404, "MANIFEST_UNKNOWN", "accept header does not support OCI");
      return json(200, { schemaVersion: 1, name: "app", tag: "1", fsLayers: [], history: [] });
    }
    const reply = this.#right(method, url, headers, body);
    if (digestHeader !== false) return reply;
    const { "docker-content-digest": _left, ...others } = reply.headers;
    return { ...reply, headers: others };
  }

  #upload(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const { mount, cancel, progress, uploadHeaders, emptyRange, mostWhole, created } = this.#personality;
    if (method === "POST") {
      if (mount !== undefined && url.includes("mount=")) {
        if (mount >= 400) return refusal(mount, "UNAUTHORIZED", "no such source");
        return this.#upload(method, url.replace(/\?.*$/, ""), headers, body);
      }
      const reply = this.#right(method, url, headers, body);
      const inner = String(reply.headers["location"]);
      if (reply.status !== 202) return reply;
      if (this.#personality.oneUpload) this.#held.clear();
      this.#held.set(inner, 0);
      const range = emptyRange === undefined ? {} : { range: emptyRange };
      return { ...reply, headers: { ...uploadHeaders, ...range, location: this.#locationOf(inner) } };
    }
    const inner = this.#innerOf(url);
    const held = inner === undefined ? undefined : this.#held.get(inner.pathname);
    if (inner === undefined || held === undefined) return refusal(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
    if (method === "DELETE" && cancel !== undefined) return refusal(cancel, "DENIED", "no right to delete");
    const state = { location: this.#locationOf(inner.pathname), range: `0-${Math.max(0, held - 1)}` };
    if (method === "GET") {
      if (progress !== undefined) return refusal(progress, "BLOB_UPLOAD_INVALID", "no status");
      return { status: 204, headers: state, body: NOTHING };
    }
    const isChunk = headers["content-range"] !== undefined;
    if (!isChunk && mostWhole !== undefined && body.length > mostWhole) return tooLarge();
    if (method === "PATCH") {
      return isChunk ? this.#chunk(inner, held, headers, body) : this.#append(inner, held, headers, body);
    }
    const reply = this.#right(method, `${inner.pathname}${inner.search}`, headers, body);
    this.#held.delete(inner.pathname);
    return created !== undefined && reply.status < 300 ? { ...reply, status: created } : reply;
  }

  #chunk(inner: URL, held: number, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const { chunks = {} } = this.#personality;
    if (chunks === "refused") return refusal(405, "UNSUPPORTED", "no chunked upload");
    const { most, least, refusal: status = 416, takes } = chunks;
    const [, start, end] = /^(\d+)-(\d+)$/.exec(headers["content-range"] ?? "") ?? [];
    if (Number(start) !== held || Number(end) !== held + body.length - 1) return refusal(416, "RANGE_INVALID", "range");
    if (most !== undefined && body.length > most)
      return status === 413 ? tooLarge() : refusal(416, "RANGE_INVALID", "size");
    if (this.#isShort.has(inner.pathname)) return refusal(416, "RANGE_INVALID", "chunk behind a short one");
    if (least !== undefined && body.length < least) this.#isShort.add(inner.pathname);
    return this.#append(inner, held, headers, takes === undefined ? body : body.subarray(0, takes));
  }
  /** Sessions whose last chunk was too short to be followed by another. */
  readonly #isShort = new Set<string>();

  #append(inner: URL, held: number, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const { chunks } = this.#personality;
    const { taken = 202, range } = typeof chunks === "object" ? chunks : {};
    const reply = this.#right("PATCH", inner.pathname, headers, body);
    if (reply.status !== 202) return reply;
    this.#held.set(inner.pathname, held + body.length);
    const now = String(reply.headers["range"]);
    const first = this.#firstEnds.get(inner.pathname) ?? now;
    this.#firstEnds.set(inner.pathname, first);
    const told = range === "absent" ? {} : { range: range === "stale" ? first : now };
    return { status: taken, headers: { location: this.#locationOf(inner.pathname), ...told }, body: NOTHING };
  }

  #locationOf(inner: string): string {
    const { location } = this.#personality;
    if (location === "relative") return inner.slice(inner.lastIndexOf("/") + 1);
    if (location === "absolute") return `${this.front.url}${inner}`;
    if (location === "inner") return `http://127.0.0.1:5000${inner}`;
    if (location === "opaque") return `/artifacts-uploads${inner}?${LONG_QUERY}`;
    if (location !== "state") return inner;
    const state = (this.#states.get(inner) ?? 0) + 1;
    this.#states.set(inner, state);
    return `${this.front.url}${inner}?_state=s%2F${state}%3D`;
  }

  /** Undefined for a Location that is not, or is no longer, the session's. */
  #innerOf(url: string): URL | undefined {
    const { location } = this.#personality;
    const inner = new URL(url.replace(/^\/artifacts-uploads/, ""), "http://registry/");
    if (location === "opaque" && !url.includes(LONG_QUERY)) return undefined;
    const state = `_state=s%2F${this.#states.get(inner.pathname)}%3D`;
    return location === "state" && !inner.search.includes(state) ? undefined : inner;
  }
}

function isOddRange({ headers }: SeenRequest): boolean {
  const range = headers["content-range"];
  return range !== undefined && !/^\d+-\d+$/.test(range);
}

function isRangedStream({ headers }: SeenRequest): boolean {
  return headers["content-range"] !== undefined && headers["transfer-encoding"] !== undefined;
}

function digestsIn(manifest: Buffer): readonly string[] {
  return [...manifest.toString().matchAll(/"digest":\s*"(sha256:[0-9a-f]{64})"/g)].flatMap(
    ([, digest]) => digest ?? [],
  );
}

function refusal(status: number, code: string, message: string): Reply {
  return json(status, { errors: [{ code, message }] });
}

function tooLarge(): Reply {
  return { status: 413, headers: { "content-type": "text/html" }, body: HTML };
}
