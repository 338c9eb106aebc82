import { parseKept } from "../../content/kept-views.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import type { RawManifest } from "../../oci/manifest.ts";
import { openForAppend } from "../../util/disk.ts";
import { openOwnFile } from "../../util/private-file.ts";
import { replaceUnsynced } from "../../util/replace-file.ts";

/** A file of manifests starts with this. */
export const MANIFESTS_MARK: Buffer = Buffer.from("imgpack manifests 1\n");

const NEWLINE = 10;
/** Of a line, as far as its base64: more than the longest tag, media type and digest. */
const MAX_HEAD = 600;
const MANIFEST_HEAD = /^manifest (sha\d+:[0-9a-f]+) ([\w.+/-]{1,255}) /;
const TAG_LINE = /^tag ([\w.-]{1,128}) (sha\d+:[0-9a-f]+)$/;

/** Where the base64 of a manifest is. */
interface Stored {
  readonly mediaType: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The manifests of one repository that earlier runs read, and what its tags meant then: a file of lines, which parallel
 * runs only append to. Nothing in it is believed: a manifest counts if it has its digest.
 */
export class RepositoryManifests {
  readonly #path: string;
  readonly #bytes: Buffer;
  readonly #isOurs: boolean;
  readonly #stored = new Map<Digest, Stored>();
  readonly #tags = new Map<string, Digest>();
  /** Manifests that this run has read, here or from the registry. */
  readonly #used = new Map<Digest, RawManifest>();
  readonly #usedTags = new Map<string, Digest>();
  /** Lines that the file does not have yet. */
  readonly #newManifests = new Set<Digest>();
  readonly #newTags = new Set<string>();

  private constructor(path: string, bytes: Buffer) {
    this.#path = path;
    this.#isOurs = bytes.subarray(0, MANIFESTS_MARK.length).equals(MANIFESTS_MARK);
    this.#bytes = bytes;
    if (!this.#isOurs) return;
    for (let at = MANIFESTS_MARK.length; at < bytes.length; ) {
      const found = bytes.indexOf(NEWLINE, at);
      const end = found === -1 ? bytes.length : found;
      this.#learn(at, end);
      at = end + 1;
    }
  }

  /** Of a repository without a file. */
  static empty(path: string): RepositoryManifests {
    return new RepositoryManifests(path, Buffer.alloc(0));
  }

  /** @returns undefined for a file that is not of this user alone, or that imgpack did not write. */
  static async open(path: string, maxBytes: number): Promise<RepositoryManifests | undefined> {
    const opened = await openOwnFile(path, "reading");
    if (opened === "foreign") return undefined;
    if (opened === "absent") return RepositoryManifests.empty(path);
    await using file = opened;
    try {
      const bytes = Buffer.alloc(Math.min((await file.stat()).size, maxBytes));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      const content = bytes.subarray(0, bytesRead);
      return isMarked(content) ? new RepositoryManifests(path, content) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether this run has read what the file does not have. */
  get hasNews(): boolean {
    return this.#newManifests.size + this.#newTags.size > 0;
  }

  /** What a tag meant when it was last read. */
  digestOf(tag: string): Digest | undefined {
    return this.#usedTags.get(tag) ?? this.#tags.get(tag);
  }

  /** The manifest or index, with the bytes that its digest names. */
  find(digest: Digest): RawManifest | undefined {
    const used = this.#used.get(digest);
    if (used !== undefined) return used;
    const stored = this.#stored.get(digest);
    if (stored === undefined) return undefined;
    const { mediaType, start, end } = stored;
    const bytes = Buffer.from(this.#bytes.toString("latin1", start, end), "base64");
    if (!isManifestOf(digest, { mediaType, bytes })) {
      this.#stored.delete(digest);
      return undefined;
    }
    this.#used.set(digest, { mediaType, bytes });
    return { mediaType, bytes };
  }

  /** @param tag that names it now. */
  add(digest: Digest, manifest: RawManifest, tag?: string): void {
    if (!this.#stored.has(digest)) this.#newManifests.add(digest);
    this.#used.set(digest, manifest);
    if (tag === undefined) return;
    if (this.#tags.get(tag) !== digest) this.#newTags.add(tag);
    this.#usedTags.set(tag, digest);
  }

  /**
   * Writes what is new, if anything is. A file that would have more than `maxBytes` starts over with what this run has used.
   *
   * @throws StorageError
   */
  async save(maxBytes: number): Promise<void> {
    const lines = [
      ...[...this.#newManifests].map(digest => this.#manifestLine(digest)),
      ...[...this.#newTags].map(tag => this.#tagLine(tag)),
    ].join("");
    if (lines === "") return;
    if (this.#bytes.length + lines.length > maxBytes || (this.#bytes.length > 0 && !this.#isOurs)) {
      await replaceUnsynced(this.#path, MANIFESTS_MARK, Buffer.from(this.#usedLines(maxBytes / 2)));
    } else {
      // What a killed run left incomplete ends here.
      const lead = this.#isOurs ? "\n" : MANIFESTS_MARK.toString();
      await using end = await openForAppend(this.#path, 0o600);
      await end.write(Buffer.from(`${lead}${lines}`));
    }
    this.#newManifests.clear();
    this.#newTags.clear();
  }

  #usedLines(maxBytes: number): string {
    const lines: string[] = [];
    let left = maxBytes - MANIFESTS_MARK.length;
    const all = [
      ...[...this.#usedTags.keys()].map(tag => this.#tagLine(tag)),
      ...[...this.#used.keys()].map(digest => this.#manifestLine(digest)),
    ];
    for (const line of all) {
      if (line.length > left) continue;
      left -= line.length;
      lines.push(line);
    }
    return lines.join("");
  }

  #manifestLine(digest: Digest): string {
    const { mediaType, bytes } = this.#used.get(digest) ?? { mediaType: "", bytes: new Uint8Array() };
    const head = `manifest ${digest} ${mediaType} `;
    return MANIFEST_HEAD.test(head) ? `${head}${Buffer.from(bytes).toString("base64")}\n` : "";
  }

  #tagLine(tag: string): string {
    const line = `tag ${tag} ${this.#usedTags.get(tag)}`;
    return TAG_LINE.test(line) ? `${line}\n` : "";
  }

  #learn(at: number, end: number): void {
    const head = this.#bytes.toString("latin1", at, Math.min(end, at + MAX_HEAD));
    const [prefix = "", digest, mediaType = ""] = MANIFEST_HEAD.exec(head) ?? [];
    if (isDigest(digest)) {
      this.#stored.set(digest, { mediaType, start: at + prefix.length, end });
      return;
    }
    const [, tag = "", meant] = TAG_LINE.exec(head) ?? [];
    if (isDigest(meant)) this.#tags.set(tag, meant);
  }
}

/** Whether imgpack wrote a file of this content, or began to. */
export function isMarked(content: Buffer): boolean {
  const start = content.subarray(0, MANIFESTS_MARK.length);
  return start.equals(MANIFESTS_MARK.subarray(0, start.length));
}

function isManifestOf(digest: Digest, { mediaType, bytes }: RawManifest): boolean {
  if (bytes.length > MAX_MANIFEST_BYTES || digestOf(bytes, digestAlgorithm(digest)) !== digest) return false;
  try {
    return parseKept(bytes, { where: digest, announced: mediaType }).mediaType === mediaType;
  } catch {
    return false;
  }
}
