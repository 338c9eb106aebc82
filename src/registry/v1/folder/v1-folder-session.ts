import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { NotFoundError, StorageError } from "../../../errors.ts";
import { MAX_CONFIG_BYTES } from "../../../oci/limits.ts";
import { quote } from "../../../util/format.ts";
import { checkSame } from "../../../util/input-guard.ts";
import { parseJson } from "../../../util/json/json.ts";
import { array, checkSchema, string } from "../../../util/json/schema.ts";
import { readAt } from "../../../util/read-disk.ts";
import { LOST_HINT } from "../lost.ts";
import { checkedId, checkedTag, v1RepositoryName } from "../v1-names.ts";
import { uploadingError } from "../v1-refusal.ts";
import type { V1Layer, V1LayerJson, V1Repository, V1Session, V1Store } from "../v1-store.ts";
import type { ContainedFolder } from "./contained-folder.ts";

const TAG_PREFIX = "tag_";
const MAX_SMALL_BYTES = 1024 * 1024;
const READ_BYTES = 1024 * 1024;

/** One repository in the storage folder of docker-registry. */
export class V1FolderSession implements V1Session {
  readonly store: V1Store;
  readonly repository: V1Repository;
  readonly #folder: ContainedFolder;

  constructor(store: V1Store, repository: V1Repository, folder: ContainedFolder) {
    this.store = store;
    this.repository = repository;
    this.#folder = folder;
  }

  async tags(signal?: AbortSignal): Promise<readonly string[]> {
    signal?.throwIfAborted();
    const names = (await this.#folder.names(this.#path)) ?? [];
    return names.filter(name => name.startsWith(TAG_PREFIX)).map(name => name.slice(TAG_PREFIX.length));
  }

  async tag(tag: string, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const bytes = await this.#folder.read(MAX_SMALL_BYTES, `${this.#path}/${TAG_PREFIX}${checkedTag(tag)}`);
    if (bytes === undefined) throw this.#absent(`tag ${quote(tag)}`);
    // Like the server, which stores the bare id.
    return bytes
      .toString("utf8")
      .trim()
      .replace(/^"(.*)"$/, "$1");
  }

  async ancestry(id: string, signal?: AbortSignal): Promise<readonly string[]> {
    const what = `ancestry of ${id}`;
    const bytes = await this.#image(id, "ancestry", what, signal);
    const where = quote(this.store.name);
    return checkSchema(array(string()), parseJson(bytes, { what, where, maxBytes: MAX_SMALL_BYTES }), what, where);
  }

  async json(id: string, signal?: AbortSignal): Promise<V1LayerJson> {
    const bytes = await this.#image(id, "json", `JSON of layer ${id}`, signal);
    const checksums = await this.#folder.read(MAX_SMALL_BYTES, `images/${id}/_checksum`);
    const layer = await this.#folder.open(`images/${id}/layer`);
    await layer?.file.close();
    return { id, bytes, checksums: checksumsOf(checksums), size: layer?.stats.size };
  }

  async layer(id: string, signal?: AbortSignal): Promise<V1Layer> {
    await this.#refuseUnfinished(id, `layer ${id}`, signal);
    const found = await this.#folder.open(`images/${id}/layer`);
    if (found === undefined) throw this.#absent(`layer ${id}`, LOST_HINT);
    const { stats } = found;
    await found.file.close();
    const open = async (): Promise<FileHandle> => {
      const layer = await this.#folder.open(`images/${id}/layer`);
      if (layer === undefined) throw this.#absent(`layer ${id}`, LOST_HINT);
      return layer.file;
    };
    const where = `layer ${id} of ${this.store.name}`;
    return { size: stats.size, read: (start = 0, stop = signal) => readParts(open, { start, stats, where }, stop) };
  }

  async #image(id: string, file: string, what: string, signal: AbortSignal | undefined): Promise<Buffer> {
    await this.#refuseUnfinished(id, what, signal);
    const bytes = await this.#folder.read(MAX_CONFIG_BYTES, `images/${id}/${file}`);
    if (bytes === undefined) throw this.#absent(what, LOST_HINT);
    return bytes;
  }

  /** @throws RegistryError as a registry answers. */
  async #refuseUnfinished(id: string, what: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!(await this.#folder.has(`images/${checkedId(id)}/_inprogress`))) return;
    throw uploadingError(`Cannot read ${what} from ${quote(this.store.name)}`, `images/${id}/_inprogress`);
  }

  get #path(): string {
    return `repositories/${this.repository.namespace}/${this.repository.name}`;
  }

  #absent(what: string, hint?: string): NotFoundError {
    const where = quote(v1RepositoryName(this.store, this.repository));
    return new NotFoundError(`Cannot read ${what} from ${where}: no such file, expected one`, { hint });
  }
}

/** A text, or a JSON list of texts: it depends on the version of docker-registry. */
function checksumsOf(bytes: Buffer | undefined): readonly string[] {
  const text = bytes?.toString("utf8").trim() ?? "";
  if (text === "") return [];
  if (!text.startsWith("[") && !text.startsWith('"')) return [text];
  const what = "_checksum";
  const value = parseJson(Buffer.from(text), { what, where: "the folder", maxBytes: MAX_SMALL_BYTES });
  return typeof value === "string" ? [value] : checkSchema(array(string()), value, what, "the folder");
}

async function* readParts(
  open: () => Promise<FileHandle>,
  { start, stats, where }: { readonly start: number; readonly stats: Stats; readonly where: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const { size } = stats;
  await using file = await open();
  const part = Buffer.allocUnsafe(Math.max(1, Math.min(READ_BYTES, size - start)));
  for (let position = start; position < size; ) {
    signal?.throwIfAborted();
    const read = await readAt(file, where, part.subarray(0, Math.min(part.length, size - position)), position);
    if (read === 0) throw new StorageError(`Cannot read ${where}: it ends at byte ${position}, expected ${size} bytes`);
    yield part.subarray(0, read);
    position += read;
  }
  // A registry that still runs may write to it, or replace it: without a checksum, a mixture of both would be taken.
  checkSame(where, stats, await file.stat());
}
