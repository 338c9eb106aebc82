import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** What a registry holds, and its right answer to every request that push and pull make. No HTTP in here. */
export class MemoryRegistry {
  /** By digest. */
  readonly blobs: Map<string, Buffer> = new Map();
  /** By digest and by `repository:tag`. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }> = new Map();
  /** Whether it has the referrers API; distribution has not. */
  hasReferrers = false;
  /** Whether a repository has only the blobs that were uploaded to it or mounted there, as at real registries. */
  isApart = false;
  /** `repository@digest` of blobs that were uploaded or mounted. */
  readonly #homes: Set<string> = new Set();
  /** What has come, in parts. */
  readonly #uploads: Map<string, Buffer[]> = new Map();
  #sessions = 0;

  addBlob(bytes: Uint8Array): string {
    const digest = sha256(bytes);
    this.blobs.set(digest, Buffer.from(bytes));
    return digest;
  }

  addManifest(name: string, type: string, bytes: Buffer): string {
    const digest = sha256(bytes);
    this.manifests.set(digest, { type, bytes });
    this.manifests.set(name, { type, bytes });
    return digest;
  }

  /** As a restart does. */
  dropUploads(): void {
    this.#uploads.clear();
  }

  answer(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const { pathname, searchParams } = new URL(url, "http://registry/");
    const [, repository = "", kind, rest = ""] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(pathname) ?? [];
    const [, listed = "", list] = /^\/v2\/(.+)\/(tags\/list|referrers\/.*)$/.exec(pathname) ?? [];
    if (list === "tags/list") return this.#tags(listed);
    if (list !== undefined && this.hasReferrers) return this.#referrers(list.slice("referrers/".length));
    if (kind === "manifests") return this.#manifest(method, repository, rest, headers, body);
    const isElsewhere = this.isApart && !this.#homes.has(`${repository}@${rest}`);
    if (kind === "blobs") return this.#blob(isElsewhere ? "" : rest, headers.range);
    if (kind === "blobs/uploads") return this.#upload(method, repository, rest, searchParams, body);
    return reply(404);
  }

  #manifest(method: string, repository: string, name: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const key = name.includes(":") ? name : `${repository}:${name}`;
    if (method === "PUT") {
      const digest = this.addManifest(key, headers["content-type"] ?? "", body);
      const subject = this.hasReferrers ? subjectOf(body) : undefined;
      const known: Record<string, string> = subject === undefined ? {} : { "oci-subject": subject };
      return reply(201, { "docker-content-digest": digest, ...known });
    }
    const found = this.manifests.get(key);
    if (found === undefined) return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
    return reply(200, { "content-type": found.type, "docker-content-digest": sha256(found.bytes) }, found.bytes);
  }

  #tags(repository: string): Reply {
    const prefix = `${repository}:`;
    const tags = [...this.manifests.keys()].filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length));
    if (tags.length === 0) return reply(404);
    return reply(200, { "content-type": "application/json" }, Buffer.from(JSON.stringify({ name: repository, tags })));
  }

  #referrers(subject: string): Reply {
    const manifests = [...this.manifests].flatMap(([digest, { type, bytes }]) =>
      digest.startsWith("sha256:") && subjectOf(bytes) === subject
        ? [{ mediaType: type, digest, size: bytes.length }]
        : [],
    );
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    return reply(200, { "content-type": OCI_INDEX }, Buffer.from(JSON.stringify(index)));
  }

  #blob(digest: string, range: string | undefined): Reply {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return refusal(404, "BLOB_UNKNOWN", "blob unknown");
    const type = { "content-type": "application/octet-stream" };
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
    if (from === undefined) return reply(200, type, bytes);
    const start = Number(from);
    const end = to === "" || to === undefined ? bytes.length - 1 : Number(to);
    const contentRange = `bytes ${start}-${end}/${bytes.length}`;
    return reply(206, { ...type, "content-range": contentRange }, bytes.subarray(start, end + 1));
  }

  #upload(method: string, repository: string, session: string, query: URLSearchParams, body: Buffer): Reply {
    const place = `/v2/${repository}/blobs/uploads/`;
    if (method === "POST") {
      const mount = query.get("mount");
      if (mount !== null && this.blobs.has(mount)) {
        this.#homes.add(`${repository}@${mount}`);
        return reply(201, { location: `/v2/${repository}/blobs/${mount}` });
      }
      this.#sessions += 1;
      this.#uploads.set(`s${this.#sessions}`, []);
      return reply(202, { location: `${place}s${this.#sessions}` });
    }
    const known = this.#uploads.get(session);
    if (known === undefined) return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown");
    if (method === "DELETE") {
      this.#uploads.delete(session);
      return reply(204);
    }
    if (body.length > 0) known.push(body);
    if (method === "PATCH") {
      const held = known.reduce((sum, part) => sum + part.length, 0);
      return reply(202, { location: `${place}${session}`, range: `0-${held - 1}` });
    }
    this.#uploads.delete(session);
    const bytes = joined(known);
    const digest = sha256(bytes);
    if (digest !== query.get("digest")) return refusal(400, "DIGEST_INVALID", "digest does not match");
    this.blobs.set(digest, bytes);
    this.#homes.add(`${repository}@${digest}`);
    return reply(201, { "docker-content-digest": digest });
  }
}

/** Without a copy where one part is all. */
export function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

/** Hashing takes more of a test run than anything else, and layers of megabytes are hashed again and again. */
const REMEMBERED_BYTES = 1024 * 1024;
const MAX_REMEMBERED_BYTES = 192 * 1024 * 1024;
/** The newest last: copies, compared byte for byte, so that a changed buffer has its own digest. */
const remembered: { readonly bytes: Buffer; readonly digest: `sha256:${string}` }[] = [];

export function sha256(bytes: Uint8Array): `sha256:${string}` {
  if (bytes.length < REMEMBERED_BYTES) return hash(bytes);
  const place = remembered.findIndex(known => known.bytes.equals(bytes));
  const [known = { bytes: Buffer.from(bytes), digest: hash(bytes) }] = place < 0 ? [] : remembered.splice(place, 1);
  remembered.push(known);
  let held = remembered.reduce((sum, { bytes: { length } }) => sum + length, 0);
  while (held > MAX_REMEMBERED_BYTES) held -= remembered.shift()?.bytes.length ?? held;
  return known.digest;
}

function hash(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function subjectOf(manifest: Buffer): string | undefined {
  try {
    return (JSON.parse(manifest.toString("utf8")) as { subject?: { digest?: string } }).subject?.digest;
  } catch {
    return undefined;
  }
}

function reply(status: number, headers: Record<string, string> = {}, body: Buffer = Buffer.alloc(0)): Reply {
  return { status, headers, body };
}

function refusal(status: number, code: string, message: string): Reply {
  return reply(
    status,
    { "content-type": "application/json" },
    Buffer.from(JSON.stringify({ errors: [{ code, message }] })),
  );
}
