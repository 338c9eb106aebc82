import { createHash, type Hash, randomUUID } from "node:crypto";
import { SyntheticImages } from "./synthetic-images.ts";
import { sha256 } from "./synthetic-layers.ts";
import type { SyntheticShape } from "./synthetic-shape.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";

export interface SyntheticReply {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Zeros: a range of them. */
  readonly body: Buffer | { readonly start: number; readonly end: number };
}

interface Stored {
  readonly type: string;
  readonly bytes: Buffer;
}

/**
 * The answers of a registry that holds no data: what it has comes from a formula, and of what is pushed it keeps digests and
 * sizes, and manifests. No HTTP in here.
 */
export class SyntheticRegistry {
  readonly images: SyntheticImages;
  /** Pushed manifests, by `repository@digest` and `repository:tag`. */
  readonly pushed: Map<string, Stored> = new Map();
  /** Sizes of pushed blobs, by `repository@digest`. */
  readonly held: Map<string, number> = new Map();
  readonly #uploads = new Map<string, { readonly hash: Hash; bytes: number }>();

  constructor(shape: Partial<SyntheticShape> = {}) {
    this.images = new SyntheticImages(shape);
  }

  forget(): void {
    this.pushed.clear();
    this.held.clear();
    this.#uploads.clear();
  }

  /** Whether the body goes to `take`, and not to `answer`. */
  isUpload(method: string, path: string): boolean {
    return (method === "PATCH" || method === "PUT") && path.includes("/blobs/uploads/");
  }

  take(path: string, part: Buffer): void {
    const upload = this.#uploads.get(/\/uploads\/([^?]*)/.exec(path)?.[1] ?? "");
    if (upload === undefined) return;
    upload.hash.update(part);
    upload.bytes += part.length;
  }

  answer(method: string, url: string, headers: NodeJS.Dict<string | string[]>, body: Buffer): SyntheticReply {
    const { pathname, searchParams } = new URL(url, "http://registry/");
    if (pathname === "/v2/") return json({});
    if (pathname === "/v2/_catalog") return this.#catalog(url, searchParams);
    const [, repository = "", kind, key = ""] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|referrers|tags)\/([^/]*)$/.exec(pathname) ?? [];
    if (kind === "tags") return this.#tags(repository, url, searchParams);
    if (kind === "referrers") return this.#referrers(key);
    if (kind === "manifests" && method === "PUT") return this.#put(repository, key, `${headers["content-type"]}`, body);
    if (kind === "manifests") return this.#manifest(repository, key);
    if (kind === "blobs/uploads") return this.#upload(method, repository, key, searchParams);
    if (kind === "blobs") return this.#blob(repository, key, `${headers["range"] ?? ""}`);
    return reply(404);
  }

  #catalog(url: string, query: URLSearchParams): SyntheticReply {
    const { shape } = this.images;
    const all = { count: shape.repositories, at: (number: number) => this.images.repository(number) };
    return this.#page(url, query, all, repositories => ({ repositories }));
  }

  #tags(name: string, url: string, query: URLSearchParams): SyntheticReply {
    const { shape } = this.images;
    if (this.images.manifest(name, this.images.tag(0)) === undefined) return refusal(404, "NAME_UNKNOWN");
    const all = { count: shape.tagsPerRepository, at: (number: number) => this.images.tag(number) };
    return this.#page(url, query, all, tags => ({ name, tags }));
  }

  #page(
    url: string,
    query: URLSearchParams,
    all: { readonly count: number; at(number: number): string },
    document: (entries: readonly string[]) => object,
  ): SyntheticReply {
    const size = Math.min(Number(query.get("n") ?? this.images.shape.pageSize), this.images.shape.pageSize);
    const last = query.get("last");
    const start = last === null ? 0 : Number(/\d+$/.exec(last)?.[0] ?? 0) + 1;
    const end = Math.min(all.count, start + size);
    const entries = Array.from({ length: Math.max(0, end - start) }, (_, index) => all.at(start + index));
    const path = url.split("?", 1)[0] ?? "";
    const next = `<${path}?n=${size}&last=${encodeURIComponent(entries.at(-1) ?? "")}>; rel="next"`;
    return json(document(entries), end < all.count ? { link: next } : {});
  }

  #referrers(digest: string): SyntheticReply {
    if (this.images.shape.referrers === "unsupported") return reply(404);
    const manifests = this.images.referrers(digest).map(({ descriptor }) => descriptor);
    return json({ schemaVersion: 2, mediaType: INDEX, manifests }, { "content-type": INDEX });
  }

  #put(repository: string, key: string, type: string, bytes: Buffer): SyntheticReply {
    const digest = sha256(bytes);
    this.pushed.set(`${repository}@${digest}`, { type, bytes });
    if (!key.includes(":")) this.pushed.set(`${repository}:${key}`, { type, bytes });
    return reply(201, { "docker-content-digest": digest, location: `/v2/${repository}/manifests/${digest}` });
  }

  #manifest(repository: string, key: string): SyntheticReply {
    const made = this.images.manifest(repository, key);
    const found =
      this.pushed.get(`${repository}${key.includes(":") ? "@" : ":"}${key}`) ??
      (made === undefined ? undefined : { type: made.descriptor.mediaType, bytes: made.bytes });
    if (found === undefined) return refusal(404, "MANIFEST_UNKNOWN");
    return reply(200, { "content-type": found.type, "docker-content-digest": sha256(found.bytes) }, found.bytes);
  }

  #blob(repository: string, digest: string, range: string): SyntheticReply {
    const size = this.held.get(`${repository}@${digest}`);
    const found = size === undefined ? this.images.blob(repository, digest)?.() : { zeros: size };
    if (found === undefined) return refusal(404, "BLOB_UNKNOWN");
    const type = { "content-type": "application/octet-stream" };
    const total = Buffer.isBuffer(found) ? found.length : found.zeros;
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const start = Number(from ?? 0);
    const end = to === undefined || to === "" ? total : Math.min(total, Number(to) + 1);
    const body = Buffer.isBuffer(found) ? found.subarray(start, end) : { start, end };
    if (from === undefined) return reply(200, type, body);
    return reply(206, { ...type, "content-range": `bytes ${start}-${end - 1}/${total}` }, body);
  }

  #upload(method: string, repository: string, session: string, query: URLSearchParams): SyntheticReply {
    const place = `/v2/${repository}/blobs/uploads/`;
    if (method === "POST") {
      const mount = query.get("mount");
      const size = mount === null ? undefined : this.held.get(`${query.get("from")}@${mount}`);
      if (size !== undefined) {
        this.held.set(`${repository}@${mount}`, size);
        return reply(201, { location: `/v2/${repository}/blobs/${mount}` });
      }
      const id = randomUUID();
      this.#uploads.set(id, { hash: createHash("sha256"), bytes: 0 });
      return reply(202, { location: `${place}${id}` });
    }
    const upload = this.#uploads.get(session);
    if (upload === undefined) return refusal(404, "BLOB_UPLOAD_UNKNOWN");
    if (method === "PATCH") return reply(202, { location: `${place}${session}`, range: `0-${upload.bytes - 1}` });
    this.#uploads.delete(session);
    if (method !== "PUT") return reply(204);
    const digest = `sha256:${upload.hash.digest("hex")}`;
    if (digest !== query.get("digest")) return refusal(400, "DIGEST_INVALID");
    this.held.set(`${repository}@${digest}`, upload.bytes);
    return reply(201, { "docker-content-digest": digest, location: `/v2/${repository}/blobs/${digest}` });
  }
}

function json(document: object, headers: Record<string, string> = {}): SyntheticReply {
  return reply(200, { "content-type": "application/json", ...headers }, Buffer.from(JSON.stringify(document)));
}

function reply(
  status: number,
  headers: Record<string, string> = {},
  body: SyntheticReply["body"] = Buffer.alloc(0),
): SyntheticReply {
  return { status, headers, body };
}

function refusal(status: number, code: string): SyntheticReply {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
  return reply(status, { "content-type": "application/json" }, body);
}
